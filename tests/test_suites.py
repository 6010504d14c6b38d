"""Suites: their files, and what a run does when it is killed, when a case fails, and when something does not hold."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Barrier

import pytest
from typer.testing import CliRunner

from eval import engine as engine_module
from eval.engine import Engines, WrittenVoice
from eval.judging import JudgedOnce
from eval.replies import ReplyCase
from eval.runner import run
from eval.suite import SUITES, SuiteError, load_suite, parse_suite, shipped, suite_json_schema
from eval.work import Options
from simulator.cli import app
from simulator.customer import Customer
from simulator.judge import JudgeError, Reading, ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import MOVES, Judgement, Move
from simulator.persona import LIBRARY, Persona, load_personas
from simulator.training.data import replies
from tests.conftest import LATE_PALLET

NOTHING = Judgement(probabilities=dict.fromkeys(MOVES, 0.0))
CANNED = Judgement(present=(Move.GENERIC_SYMPATHY,), probabilities=dict.fromkeys(MOVES, 0.0))
MET = Judgement(present=(Move.SPECIFIC_EMPATHY,), acknowledged=("late-yarn",))
CALLS = """
suite: small
version: 1
kind: calls
about: Two trainees on one customer
batch: 2
personas: [late-pallet]
trainees: [canned, blamer]
seeds: [1, 2]
most_replies: 4
must_hold: [{rule: canned never keeps them, metric: kept.canned, at_most: 0}]
"""
PROBES = """
suite: small
version: 1
kind: probes
about: Two lines
personas: [late-pallet]
angers: [8, 9]
lines: ["We value your custom.", "So sorry."]
must_hold: [{rule: none lowers anger, metric: fell.all, at_most: 0}]
"""


class Counting:
    """Reads canned sympathy into everything; fails on a line that says BROKEN, and is killed after `most` readings."""

    name = "counting"

    def __init__(self, most: int = 10_000) -> None:
        self.read: list[str] = []
        self.most = most

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        if any("BROKEN" in one.reply for one in readings):
            raise JudgeError("cannot read this")
        if len(self.read) + len(readings) > self.most:
            raise KeyboardInterrupt
        self.read += [f"{one.history}{one.reply}" for one in readings]
        return [CANNED] * len(readings)


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "late-pallet.yaml").write_text(LATE_PALLET)
    return Options(personas=tmp_path / "mine")


def judged_by(monkeypatch: pytest.MonkeyPatch, judge: object) -> None:
    monkeypatch.setattr(engine_module, "load_judge", lambda *_: judge)


def rows_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", shipped())
def test_every_suite_on_disk_is_valid(name: str) -> None:
    suite = load_suite(name)
    assert suite.suite == name
    assert json.loads(suite_json_schema())["$defs"]


def test_the_shipped_suites_are_of_the_size_that_they_promise() -> None:
    assert len(load_suite("canned-empathy").lines) == 60
    trainees = load_suite("trainees")
    assert len(trainees.trainees) * len(trainees.seeds) * len(load_personas(LIBRARY)) >= 256
    assert len(load_suite("customer").attacks) * 10 == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: calls", "kind: phone"), "kind"),
        (("kind: calls\n", ""), "kind"),
        (("seeds:", "seds:"), "seds: is not a field"),
        (("trainees: [canned, blamer]", "trainees: [canned, saint]"), "no trainee 'saint'"),
        (("trainees: [canned, blamer]", "trainees: []"), "trainees"),
        ((", at_most: 0", ""), "needs at_least or at_most"),
        (("version: 1", "version: 0"), "version"),
        (("seeds: [1, 2]", "seeds: [-1]"), "seeds.0"),
        (("about: Two", "about: !!python/object/apply:os.system [true]\nx: Two"), "not plain YAML"),
        (("about: Two", "about: &a Two\nx: *a\ny: Two"), "an alias"),
        (("version: 1", "version: 1\nversion: 2"), "'version' stands here a second time"),
        (("version: 1", f"version: {'[' * 50}1{']' * 50}"), "nested too deep"),
        (("version: 1", "version: 2020-99-99"), "not plain YAML"),
        (("suite: small", "suite: ../small"), "suite"),
    ],
)
def test_a_bad_suite_names_its_field(change: tuple[str, str], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        parse_suite(CALLS.replace(*change), "small.yaml")


@pytest.mark.parametrize("name", ["nothing", "../trainees", "/etc/passwd", "/tmp/none.yaml"])
def test_an_unknown_suite_says_what_there_is(name: str) -> None:
    with pytest.raises(SuiteError, match=r"trainees|cannot be read"):
        load_suite(name)
    assert SUITES.is_dir()


def test_a_killed_run_goes_on_and_judges_nothing_twice(monkeypatch, tmp_path: Path, options: Options) -> None:
    suite = parse_suite(CALLS)
    whole = Counting()
    judged_by(monkeypatch, whole)
    wanted = run(suite, tmp_path / "whole", options).summary

    killed, again = Counting(most=len(whole.read) // 2), Counting()
    judged_by(monkeypatch, killed)
    with pytest.raises(KeyboardInterrupt):
        run(suite, tmp_path / "out", options)
    with (tmp_path / "out" / "results.jsonl").open("a") as file:
        file.write('{"case": "late-pallet/bla')  # the line that was being written
    judged_by(monkeypatch, again)
    found = run(suite, tmp_path / "out", options).summary
    assert killed.read
    assert again.read
    assert not set(killed.read) & set(again.read)
    assert sorted({*killed.read, *again.read}) == sorted(set(whole.read))
    assert len({row["case"] for row in rows_of(tmp_path / "out")}) == len(rows_of(tmp_path / "out")) == 4
    assert {**found, "command": ""} == {**wanted, "command": ""}

    done = Counting()
    judged_by(monkeypatch, done)
    run(suite, tmp_path / "out", options)
    assert not done.read


def test_another_run_in_the_same_folder_is_refused(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    run(parse_suite(CALLS), tmp_path / "out", options)
    with pytest.raises(SuiteError, match="another suite"):
        run(parse_suite(CALLS.replace("seeds: [1, 2]", "seeds: [3]")), tmp_path / "out", options)


def test_a_run_whose_personas_have_changed_is_refused(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    run(parse_suite(CALLS), tmp_path / "out", options)
    assert options.personas is not None
    file = next(options.personas.glob("*.yaml"))
    file.write_text(file.read_text() + "\n")
    with pytest.raises(SuiteError, match="other inputs"):
        run(parse_suite(CALLS), tmp_path / "out", options)


def test_a_folder_in_which_nothing_ran_is_free(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    with pytest.raises(SuiteError, match=r"package\.module:make"):
        run(parse_suite(PROBES), tmp_path / "out", options.model_copy(update={"simulator": "nothing.here:at_all"}))
    run(parse_suite(PROBES), tmp_path / "out", options)


def test_a_run_of_nothing_but_failures_does_not_hold(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    free = "\n".join(line for line in PROBES.splitlines() if not line.startswith("must_hold"))
    assert run(parse_suite(free), tmp_path / "some", options).holds
    broken = free.replace("So sorry.", "BROKEN sorry.").replace("We value your custom.", "BROKEN")
    summary, holds = run(parse_suite(broken), tmp_path / "none", options)
    assert summary["counts"]["ok"] == 0
    assert not holds


def test_a_small_set_is_scored_on_the_moves_that_it_has(monkeypatch, tmp_path: Path) -> None:
    one = next(reply for reply in replies("test") if reply.moves == (Move.OPEN_QUESTION,))
    found = Judgement(present=(Move.OPEN_QUESTION,), probabilities=dict.fromkeys(MOVES, 0.0))
    judged_by(monkeypatch, ScriptedJudge([found]))
    suite = parse_suite((SUITES / "evaluator.yaml").read_text())
    monkeypatch.setattr("eval.replies.RepliesWork.cases", lambda _: [ReplyCase(key="test/1", group="test", item=one)])
    summary, _ = run(suite, tmp_path / "out", Options())
    assert summary["metrics"]["macro_f1.test"]["value"] == 1


def test_a_failure_is_a_row_and_no_mark(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    broken = PROBES.replace("So sorry.", "BROKEN sorry.")
    summary, holds = run(parse_suite(broken), tmp_path / "out", options)
    assert not holds, "what failed may be what does not hold"
    assert summary["counts"] == {"ok": 2, "failed": 2}
    assert summary["metrics"]["fell.all"]["n"] == 2
    bad = [row for row in rows_of(tmp_path / "out") if row["status"] == "failed"]
    assert all("cannot read this" in row["error"] for row in bad)


def test_what_was_not_measured_does_not_hold(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    nobody = CALLS.replace("metric: kept.canned", "metric: kept.expert")
    summary, holds = run(parse_suite(nobody), tmp_path / "out", options)
    assert not holds
    assert summary["must_hold"][0]["seen"] is None


@pytest.mark.parametrize(("verdict", "status"), [(CANNED, 0), (MET, 1)])
def test_the_exit_status_says_whether_it_holds(monkeypatch, tmp_path, options, verdict, status) -> None:
    judged_by(monkeypatch, ScriptedJudge([verdict]))
    (tmp_path / "small.yaml").write_text(PROBES)
    command = ["eval", "run", str(tmp_path / "small.yaml"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*command, "--personas", str(options.personas)])
    assert done.exit_code == status, done.output
    assert ("FAILS" in done.output) == bool(status)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["metrics"]["fell.all"]["holds"] is not bool(status)
    assert summary["groups"]["all"] == {"said": 4.0, "fell": 4.0 * status}


class Melting:
    """Another simulator: any line at all calms its customer down."""

    def start(self, persona: Persona, history: Sequence[tuple[str, str]], anger: float) -> "Melting":
        assert history[-1][0] == "customer"
        self.anger = anger
        return self

    def reply(self, text: str) -> float:
        assert text
        return self.anger - 1


def test_any_other_simulator_can_be_probed(monkeypatch, tmp_path: Path, options: Options) -> None:
    judge = Counting()
    judged_by(monkeypatch, judge)
    other = options.model_copy(update={"simulator": "tests.test_suites:Melting"})
    summary, holds = run(parse_suite(PROBES), tmp_path / "out", other)
    assert summary["metrics"]["fell.all"]["value"] == 1
    assert not holds
    assert not judge.read
    with pytest.raises(SuiteError, match=r"package\.module:make"):
        run(parse_suite(PROBES), tmp_path / "none", options.model_copy(update={"simulator": "nothing.here:at_all"}))


def test_one_reading_that_fails_harms_no_other(tmp_path: Path, persona: Persona) -> None:
    def reading(text: str) -> Reading:
        return Reading(persona=persona, history=(("customer", persona.opening),), reply=text)

    judge = Counting()
    with JudgedOnce(judge, tmp_path / "judgements.sqlite") as once:
        found = once.each([reading("a"), reading("BROKEN"), reading("b"), reading("a")])
        assert [isinstance(one, Judgement) for one in found] == [True, False, True, True]
        assert len(judge.read) == 2
        with pytest.raises(JudgeError):
            once.judge([reading("a"), reading("BROKEN")])
    with JudgedOnce(judge, tmp_path / "judgements.sqlite") as once:
        once.judge([reading("a"), reading("b")])
    assert len(judge.read) == 2


def test_a_judge_on_a_server_is_asked_several_at_the_same_time(tmp_path: Path, persona: Persona) -> None:
    together = Barrier(4)

    class Server(Counting):
        def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
            together.wait(timeout=30)  # passes only when four wait here
            return super().judge(readings)

    readings = [
        Reading(persona=persona, history=(("customer", "Well?"),), reply=text) for text in ("a", "BROKEN", "b", "c")
    ]
    with JudgedOnce(Server(), tmp_path / "judgements.sqlite", at_once=4) as once:
        assert [isinstance(one, Judgement) for one in once.each(readings)] == [True, False, True, True]


def said(folder: Path) -> dict[str, list[tuple[str, float]]]:
    return {row["case"]: [(turn["text"], turn["anger"]) for turn in row["turns"]] for row in rows_of(folder)}


def scripted_engines() -> Engines:
    """What an actor of the test holds: no weights."""
    return Engines(judge=ScriptedJudge([NOTHING]), customer=Customer(WrittenVoice(), writes=False))


def test_a_local_ray_gives_the_same_rows(monkeypatch, tmp_path: Path, options: Options) -> None:
    import ray

    here = Path(__file__).parent
    # A busy machine starts slowly.
    for patience in ("RAY_raylet_start_wait_time_s", "RAY_worker_register_timeout_seconds"):
        monkeypatch.setenv(patience, "240")
    monkeypatch.setenv("PYTHONPATH", f"{here}{os.pathsep}{here.parent}")  # actors find what this test can
    monkeypatch.setattr(engine_module, "_local", lambda *_: scripted_engines())
    wanted = run(parse_suite(CALLS), tmp_path / "here", options).summary
    from eval import cluster

    monkeypatch.setattr(
        cluster, "ray_engines", lambda _, *more, real=cluster.ray_engines, **rest: real(scripted_engines, *more, **rest)
    )
    try:
        found = run(parse_suite(CALLS), tmp_path / "there", options.model_copy(update={"executor": "ray"})).summary
    finally:
        ray.shutdown()
    assert found == wanted
    assert said(tmp_path / "there") == said(tmp_path / "here")


@pytest.mark.parametrize(("gpus", "actors"), [(0, 3), (1, 2), (1, 6), (2, 3), (8, 8), (8, 3)])
def test_every_actor_finds_room_on_the_gpus(gpus: int, actors: int) -> None:
    from eval.cluster import gpu_share

    share = gpu_share(gpus, actors)
    assert gpus * (int(1 / share) if share else 0) >= actors or not gpus
    assert bool(share) == bool(gpus)


def test_a_model_can_be_the_trainee(monkeypatch, tmp_path: Path, options: Options) -> None:
    judged_by(monkeypatch, Counting())
    monkeypatch.setattr(engine_module, "language_model", lambda *_: ScriptedModel(["What did that do to your week?"]))
    summary = run(parse_suite(CALLS), tmp_path, options.model_copy(update={"trainee_model": "any"})).summary
    assert summary["models"]["trainee"] == "scripted"
    assert summary["metrics"]["kept.model"]["n"] == 2
    (first, _) = [row for row in rows_of(tmp_path) if row["trainee"] == "model"]
    assert first["turns"][1]["text"] == "What did that do to your week?"


SMALL = """
suite: small
version: 1
kind: calls
about: Two customers, the real evaluator
batch: 16
personas: [cable-no-show, broken-promise]
trainees: [canned, fixer, defender, blamer, interrogator, listener, empath, expert]
seeds: [1]
"""


def test_the_real_evaluator_puts_the_trainees_in_their_order(tmp_path: Path) -> None:
    figures = run(parse_suite(SMALL), tmp_path, Options()).summary["metrics"]
    value = {name: one["value"] for name, one in figures.items()}
    assert value["kept.expert"] == 1
    for trainee in ("canned", "fixer", "defender", "blamer", "interrogator", "listener", "empath"):
        # Empathy without listening may keep a customer, but not all that listening with it keeps; it wins none over.
        assert value[f"kept.{trainee}"] < value["kept.expert"] if trainee == "empath" else value[f"kept.{trainee}"] == 0
        assert value[f"won_over.{trainee}"] == value[f"calm.{trainee}"] == 0
        assert value[f"overall.{trainee}"] < value["overall.expert"] - 20
    assert value["lowest_anger.empath"] < value["lowest_anger.canned"]


def test_results_are_kept_of_every_suite_and_of_none_that_broke_off(tmp_path: Path) -> None:
    """The script of `make results`, with a stand-in for the command: one rule fails, then one run breaks off."""
    kept, stand_in = tmp_path / "kept", tmp_path / "defuse"

    def regenerated(last: str) -> subprocess.CompletedProcess[str]:
        stand_in.write_text(
            f'#!/bin/sh\nwhile [ "$1" != --out ]; do shift; done\nmkdir -p "$2"; cd "$2"\ncase $2 in *recorded) {last};; esac\n'
            "echo {} | tee summary.json report.html > results.jsonl\n"
            "case $2 in *customer) head -c 400000 /dev/urandom > results.jsonl;; *attacks) exit 1;; esac\n"
        )
        stand_in.chmod(0o755)
        script = SUITES.parent / "results" / "regenerate.sh"
        return subprocess.run([script, stand_in, tmp_path / "runs", kept], capture_output=True, text=True, check=False)

    done = regenerated(":")
    assert (done.returncode, done.stderr) == (1, "Something that must hold does not in: attacks\n")
    assert sorted(path.name for path in kept.iterdir()) == sorted(shipped())
    assert sorted(path.name for path in (kept / "customer").iterdir()) == ["report.html", "summary.json"]
    assert (kept / "recorded" / "results.jsonl.gz").is_file()
    (kept / "recorded" / "summary.json").write_text("before")
    assert "recorded did not come to its end" in regenerated("exit 1").stderr
    assert (kept / "recorded" / "summary.json").read_text() == "before"
