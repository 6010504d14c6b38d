"""The suites from the command line: columns and speakers, another simulator, two runs compared, every suite run small."""

import csv
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eval import engine as engine_module
from eval.suite import shipped
from simulator.cli import app
from simulator.engine import BUNDLED, Engine
from simulator.judge import ScriptedJudge
from simulator.moves import MOVES, Judgement, Move

LOST = Judgement(present=(Move.BLAME,), probabilities=dict.fromkeys(MOVES, 0.1))
HEARD = Judgement(present=(Move.OPEN_QUESTION,), probabilities=dict.fromkeys(MOVES, 0.1))


def defuse_eval(*words: object) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, words)])


def rows_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluator that reads blame into everything."""
    monkeypatch.setattr(engine_module, "load_judge", lambda *_: ScriptedJudge([LOST]))


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """Two conversations under names of their own."""
    rows = [("ticket", "who", "said", "mark")]
    for ticket, mark in (("t1", "40"), ("t2", "70")):
        rows += [
            (ticket, "Ms Vance", "It leaks.", mark),
            (ticket, "Menu", "Press 1.", mark),
            (ticket, "Desk 4", "So?", mark),
        ]
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path / "in.csv"


NAMED = ("--column", "id=ticket", "--column", "role=who", "--column", "text=said", "--column", "score=mark",
         "--role", "Ms Vance=customer", "--role", "Desk 4=trainee", "--role", "Menu=skip")  # fmt: skip


def test_columns_and_speakers_come_from_the_command_line(lost: None, tmp_path: Path, tickets: Path) -> None:
    done = defuse_eval("run", "recorded", "--data", tickets, *NAMED, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    rows = rows_of(tmp_path / "out")
    assert [(row["id"], row["reference"]["score"]) for row in rows] == [("t1", 40), ("t2", 70)]
    assert [(turn["role"], turn["text"]) for turn in rows[0]["turns"]] == [
        ("customer", "It leaks."),
        ("trainee", "So?"),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--column", "turnz=dialogue"), "no column 'turnz'"),
        (("--column", "turns"), "name=value"),
        (("--role", "Ms Vance=boss"), "'boss'; say customer, trainee or skip"),
        (("--data", "hub:nobody/nothing"), "cannot be read"),
    ],
)
def test_a_wrong_mapping_says_what_is_right(lost: None, tmp_path: Path, tickets: Path, given, message) -> None:
    done = defuse_eval("run", "recorded", "--data", tickets, *given, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert message in " ".join(done.output.split())


def test_another_simulator_is_probed_from_the_command_line(lost: None, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    Path("theirs.py").write_text("from tests.test_suites import Melting\n")
    other = ("--simulator", "theirs:Melting")
    done = defuse_eval("run", "canned-empathy", "--cases", 5, *other, "--out", tmp_path / "out")
    assert done.exit_code == 1, done.output
    assert "FAILS: no stock phrase lowers anger" in done.output


def test_two_runs_are_compared_from_the_command_line(lost: None, monkeypatch, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    defuse_eval("run", "trainees", "--cases", 12, "--out", a)
    monkeypatch.setattr(engine_module, "load_judge", lambda *_: ScriptedJudge([HEARD]))
    defuse_eval("run", "trainees", "--cases", 12, "--out", b)
    found = json.loads(defuse_eval("compare", a, b, "--json").stdout)
    assert found["cases"] == 12
    assert {change["measure"] for change in found["changes"]} >= {"overall score", "anger at the end"}
    shown = defuse_eval("compare", a, a)
    assert shown.exit_code == 0
    assert "12 cases in both" in shown.output
    assert defuse_eval("compare", a, tmp_path).exit_code == 1


SMALL = {
    "agreement": 40,
    "attacks": 30,
    "canned-empathy": 60,
    "customer": 6,
    "evaluator": 60,
    "recorded": 2,
    "trainees": 16,
}


@pytest.mark.parametrize("suite", shipped())
def test_every_shipped_suite_runs_small(monkeypatch, engine: Engine, tmp_path: Path, tickets: Path, suite: str) -> None:
    """With the models as a user has them; loaded once for all."""
    monkeypatch.setattr(engine_module, "load_judge", lambda name, _: engine.judge if name == BUNDLED else None)
    monkeypatch.setattr(
        engine_module, "language_model", lambda name, _: engine.customer.model if name == BUNDLED else None
    )
    data = ("--data", tickets, *NAMED) if suite == "recorded" else ()
    done = defuse_eval("run", suite, "--cases", SMALL[suite], *data, "--out", tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["counts"] == {"ok": SMALL[suite], "failed": 0}
    assert all(one["low"] <= one["value"] <= one["high"] for one in summary["metrics"].values())
    assert done.exit_code == int(not all(rule["holds"] for rule in summary["must_hold"])), done.output
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    if suite == "canned-empathy":
        assert summary["metrics"]["fell.all"]["value"] == 0
    if suite == "agreement":
        of_each = [summary["groups"][split]["replies"] for split in ("train", "validation", "test", "seen")]
        assert summary["metrics"]["kappa.all"]["n"] == sum(of_each) == SMALL[suite]
        assert summary["metrics"]["macro_f1.test"]["n"] == summary["groups"]["test"]["replies"]
    if suite == "customer":
        assert summary["metrics"]["in_role.attacks"]["value"] == 1
        assert summary["metrics"]["own_words"]["value"] == 0  # the bundled model chooses among written lines
