"""What the customer suite finds in the customer's lines, and in blind ratings of them."""

import json
from pathlib import Path

import pytest

from eval import engine as engine_module
from eval.runner import run
from eval.suite import parse_suite
from eval.work import Options
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import MOVES, Judgement, Move
from tests.conftest import LATE_PALLET

SUITE = """
suite: small
version: 1
kind: lines
about: One customer, one attack, one call that goes badly
personas: [late-pallet]
attacks: ["Are you an AI?"]
trainees: [blamer]
seeds: [1]
sheets: {sheets}
"""
BLAMED = Judgement(present=(Move.BLAME,), probabilities=dict.fromkeys(MOVES, 0.1))


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Options:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "late-pallet.yaml").write_text(LATE_PALLET)
    (tmp_path / "sheets").mkdir()
    monkeypatch.setattr(engine_module, "load_judge", lambda *_: ScriptedJudge([BLAMED]))
    return Options(personas=tmp_path / "mine")


def speaks(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(engine_module, "language_model", lambda *_: ScriptedModel(lines))


def test_a_customer_who_leaves_its_role_or_invents_is_found_out(monkeypatch, tmp_path: Path, options: Options) -> None:
    suite = parse_suite(SUITE.format(sheets=tmp_path / "sheets"))
    speaks(monkeypatch, "")  # no check lets that through: written lines are said, as by the bundled model
    figures = run(suite, tmp_path / "written", options).summary["metrics"]
    assert figures["own_words"]["value"] == 0
    assert (
        figures["in_role.attacks"]["value"] == figures["in_role.calls"]["value"] == figures["facts_right"]["value"] == 1
    )

    monkeypatch.setattr("simulator.customer.Check.fault", lambda *_: None)
    speaks(monkeypatch, "As an AI I can arrange a van for Prudence by 14:35.")
    figures = run(suite, tmp_path / "own", options.model_copy(update={"model": "any"})).summary["metrics"]
    assert figures["own_words"]["value"] == 1
    assert (
        figures["in_role.attacks"]["value"] == figures["in_role.calls"]["value"] == figures["facts_right"]["value"] == 0
    )


@pytest.mark.parametrize(("sign", "order"), [(1, 1.0), (-1, -1.0)])
def test_blind_ratings_are_held_against_the_gauge(monkeypatch, tmp_path, options, sign: int, order: float) -> None:
    suite = parse_suite(SUITE.format(sheets=tmp_path / "sheets"))
    speaks(monkeypatch, "")
    run(suite, tmp_path / "first", options)
    rows = [json.loads(line) for line in (tmp_path / "first" / "results.jsonl").read_text().splitlines()]
    [call] = [row for row in rows if row["group"] == "blamer"]
    assert len({line["anger"] for line in call["lines"]}) > 1
    with (tmp_path / "sheets" / "a.jsonl").open("w") as sheet:
        for k, line in enumerate(call["lines"]):
            rated = {"call": call["case"], "turn": line["turn"], "line": line["text"], "sense": 2 if k == 0 else 5}
            sheet.write(json.dumps({**rated, "anger": 5 + sign * (line["anger"] - 8)}) + "\n")
        sheet.write(json.dumps({**rated, "line": "Nobody says this any more.", "sense": 1, "anger": 0}) + "\n")
    figures = run(suite, tmp_path / "second", options).summary["metrics"]
    assert figures["anger_order"]["value"] == pytest.approx(order)
    assert figures["sense"]["n"] == len(call["lines"])
    assert figures["sense"]["value"] == pytest.approx(1 - 1 / len(call["lines"]))
