"""`defuse judge` and `grade` that break off: what was judged is kept, and the same command goes on."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import Result

from simulator import engine as engine_module
from simulator import kept as kept_module
from simulator.cli import app
from simulator.judge import JudgeError, PromptedJudge, Reading
from simulator.models.base import ModelError, Prompt, Sample, Sampling
from simulator.moves import MOVES, Judgement, Move
from tests.test_cli import CALL, full_disk, jsonl, run

REPLIES = [{"id": str(i), "reply": f"What happened on day {i}?"} for i in range(10)]


class Breaks:
    """A judge that quotes what it reads, four replies at a time, until `then` ends it in its third batch."""

    def __init__(self, then: Callable[[], None] = lambda: None, name: str = "breaks") -> None:
        self.name, self.read, self._then, self._batches = name, list[str](), then, 0

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        self._batches += 1
        if self._batches > 2:
            self._then()
        self.read += [reading.reply for reading in readings]
        chances = dict.fromkeys(MOVES, 0.1)
        quotes = [{Move.OPEN_QUESTION: reading.reply} for reading in readings]
        return [Judgement(present=(Move.OPEN_QUESTION,), probabilities=chances, evidence=quote) for quote in quotes]


def fails() -> None:
    raise JudgeError("The server does not answer.")


def stopped() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def judged(tmp_path: Path, monkeypatch) -> Callable[..., Result]:
    """Runs the command with a judge, from `in.jsonl` to `out.jsonl`."""
    monkeypatch.setattr(kept_module, "BATCH", 4)
    jsonl(tmp_path / "in.jsonl", *REPLIES)

    def call(judge: object, command: str = "judge") -> Result:
        monkeypatch.setattr(engine_module, "load_judge", lambda *_: judge)
        return run(app, [command, str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")])

    return call


def quoted(path: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(row["id"], row["evidence"]["open_question"]) for row in rows]


@pytest.mark.parametrize("then", [fails, stopped])
def test_what_was_judged_before_it_broke_off_is_kept(tmp_path: Path, judged, then: Callable[[], None]) -> None:
    target, part = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    target.write_text("before")
    done = judged(Breaks(then))
    assert done.exit_code != 0
    assert "8 of 10 replies are judged and kept in out.jsonl.part; the same command goes on" in done.stderr
    assert target.read_text() == "before"
    assert part.stat().st_mode & 0o777 == 0o600
    judge = Breaks()
    done = judged(judge)
    assert done.exit_code == 0, done.output
    assert "Going on after 8 of 10 replies." in done.stderr
    assert judge.read == [reply["reply"] for reply in REPLIES[8:]]
    assert quoted(target) == [(reply["id"], reply["reply"]) for reply in REPLIES]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_kill_loses_no_more_than_a_batch(tmp_path: Path, judged) -> None:
    if (child := os.fork()) == 0:
        judged(Breaks(lambda: os.kill(os.getpid(), signal.SIGKILL)))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not (tmp_path / "out.jsonl").exists()
    assert "Going on after 8 of 10 replies." in judged(Breaks()).stderr
    assert len(quoted(tmp_path / "out.jsonl")) == 10


def test_what_was_changed_meanwhile_is_judged_anew(tmp_path: Path, judged) -> None:
    judged(Breaks(fails))
    said = {"role": "customer", "text": "Late."}
    changed = [REPLIES[9], REPLIES[0] | {"history": [said]}, REPLIES[1] | {"reply": "And?"}, *REPLIES[2:9]]
    jsonl(tmp_path / "in.jsonl", *changed)
    judge = Breaks()
    assert "Going on after 6 of 10 replies." in judged(judge).stderr
    assert judge.read == [changed[i]["reply"] for i in (0, 1, 2, 9)]
    assert quoted(tmp_path / "out.jsonl") == [(reply["id"], reply["reply"]) for reply in changed]


def test_another_judge_starts_anew_and_costs_the_first_nothing(tmp_path: Path, judged) -> None:
    judged(Breaks(fails))
    other = Breaks(name="mistyped")
    other.judge = lambda _: fails()
    done = judged(other)
    assert done.exit_code == 1
    assert "Going on" not in done.stderr
    assert "kept" not in done.stderr
    assert "Going on after 8 of 10 replies." in judged(Breaks()).stderr


def test_each_answer_of_a_prompted_model_is_kept(tmp_path: Path, judged) -> None:
    class Server:
        name, answers = "openai:some", 3

        def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
            if not self.answers:
                raise ModelError("No answer from the server.")
            self.answers -= 1
            return [Sample(text='{"present": []}')]

    server = Server()
    done = judged(PromptedJudge(server))
    assert done.exit_code == 1
    assert "3 of 10 replies are judged and kept" in done.stderr
    assert "No answer from the server." in done.stderr
    server.answers = 7
    assert judged(PromptedJudge(server)).exit_code == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 10


def test_nothing_lies_about_when_nothing_was_judged(tmp_path: Path, judged) -> None:
    judge = Breaks()
    judge.judge = lambda _: fails()
    assert judged(judge).exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_disk_that_fills_keeps_what_there_was_room_for(tmp_path: Path, judged) -> None:
    jsonl(tmp_path / "in.jsonl", *[{"id": str(i), "reply": f"What {i}?"} for i in range(80)])
    with full_disk(30_000):
        done = judged(Breaks())
    assert done.exit_code == 1
    assert "out.jsonl: cannot be written" in done.stderr
    assert "of 80 replies are judged and kept" in done.stderr
    done = judged(Breaks())
    assert done.exit_code == 0, done.output
    assert "Going on after" in done.stderr
    assert len(quoted(tmp_path / "out.jsonl")) == 80


def test_a_file_of_that_name_that_is_not_ours_stays(tmp_path: Path, judged) -> None:
    (tmp_path / "out.jsonl.part").write_text("Half of a download, " * 20)
    done = judged(Breaks())
    assert done.exit_code == 1
    assert "out.jsonl.part: holds no judgements" in done.stderr
    assert (tmp_path / "out.jsonl.part").read_text().startswith("Half")


def test_grading_goes_on_too(tmp_path: Path, judged) -> None:
    said = [{"role": "trainee", "text": f"What happened on day {i}?"} for i in range(10)]
    jsonl(tmp_path / "in.jsonl", CALL | {"persona": "cable-no-show", "turns": [CALL["turns"][0], *said]})
    assert "8 of 10 replies are judged and kept" in judged(Breaks(fails), "grade").stderr
    judge = Breaks()
    assert judged(judge, "grade").exit_code == 0
    assert len(judge.read) == 2
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
