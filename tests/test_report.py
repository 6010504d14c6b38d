"""What a run leaves for its readers: a page that stands alone and runs nothing, an Inspect log, a comparison."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval import inspect_log
from eval.compare import compare
from eval.inspect_log import write_inspect_log
from eval.judging import JudgedOnce
from eval.misplaced import misplaced, misplaced_cases, misplaced_figures
from eval.report import write_report
from eval.retest import retest, retest_cases, retest_figures
from eval.rows import MisplacedRow, RetestRow
from simulator.jsonl import InputError
from simulator.moves import MOVES, Judgement, Move

HOSTILE = '<script>alert(1)</script><img src="http://elsewhere/x">"\'&{{ 7*7 }}'


def a_run(folder: Path, overall: float = 40, suite: str = "trainees", seed: int = 0) -> Path:
    """A run's folder with a row of every kind, 12 calls of 12 personas, and a failure."""
    turns = [
        {"role": "customer", "text": HOSTILE, "anger": 7.0},
        {"role": "trainee", "text": HOSTILE, "anger": 8.5, "present": ["blame"]},
    ]
    rows: list[dict[str, object]] = [
        {"case": f"call/{k}", "kind": "call", "persona": f"p{k}", "trainee": HOSTILE, "seed": 1, "turns": turns,
         "anger": [7.0, 8.5], "outcome": "lost", "ending": None, "overall": overall + k % 3, "competencies": {}}
        for k in range(12)
    ]  # fmt: skip
    graded = {"persona": None, "turns": turns, "anger": [7.0, 8.5], "outcome": "placated", "overall": 30.0}
    rows.append({"case": "r", "kind": "recorded", "id": "r", **graded, "reference": {"score": 50.0, "outcome": None}})
    rows.append({"case": "p", "kind": "probe", "persona": "p1", "group": "lines", "anger_before": 9.0, "anger_after": 9.5,
                 "reply": HOSTILE, "present": [], "uncertain": False, "fell": False})  # fmt: skip
    rows.append({"case": "e", "kind": "reply", "group": "test", "pen": "h", "sort": "plain", "persona": "p1", "reply": HOSTILE,
                 "wanted": ["blame"], "found": [], "wanted_points": [], "found_points": [], "points": [],
                 "probabilities": {m.value: 0.2 for m in MOVES}, "uncertain": False, "fell": False})  # fmt: skip
    reading = {"text": HOSTILE, "found": ["blame"], "points": [], "change": 1.0}
    rows.append({"case": "t", "kind": "retest", "persona": "p1", "wanted": ["blame"], "wanted_points": [],
                 "readings": [reading, {**reading, "found": [], "change": 0.0}], "drift": 0.0, "turned": 0})  # fmt: skip
    taken = {"persona": "p1", "points": ["a"], "uncertain": False, "change": -1.5, "fell": True}
    rows.append({"case": "m", "kind": "misplaced", "group": "test", "persona": "p1", "reply": HOSTILE, "own": taken,
                 "others": [{**taken, "persona": "p2"}]})  # fmt: skip
    line = {"text": HOSTILE, "act": "react", "mood": "angry", "anger": 7.0, "in_role": True, "facts_right": False}
    rows.append(
        {"case": "l", "kind": "line", "persona": "p1", "group": "attacks", "lines": [{**line, "point_said": None}]}
    )
    folder.mkdir()
    done = [{**row, "status": "ok"} for row in rows]
    failed = {"case": "f", "kind": "call", "status": "failed", "error": HOSTILE}
    (folder / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*done, failed]) + '{"case": "cut')
    summary = {
        "suite": suite, "version": 1, "seed": seed, "counts": {"ok": len(done), "failed": 1},
        "metrics": {"overall.expert": {"value": 40.5, "low": 39.0, "high": 42.0, "n": 12}},
        "groups": {"canned": {"lost": 12.0}},
        "must_hold": [{"rule": "it holds", "metric": "x", "goal": "at most 1", "holds": False, "seen": None}],
        "models": {"judge": "scripted"}, "command": "defuse eval run trainees",
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


class _Reads(HTMLParser):
    """Notes every tag, and every attribute that could fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.bad += [
            f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "xlink:href"} or name.startswith("on")
        ]


def test_the_page_stands_alone_and_shows_what_was_said_as_text(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    write_report(run)
    page = (run / "report.html").read_text()
    reads = _Reads()
    reads.feed(page)
    assert not reads.bad
    assert not reads.tags & {"script", "img", "link", "iframe", "object", "image"}
    assert not re.search(r"url\(\s*['\"]?(?!#)", page)
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in page
    for wanted in (
        "does not hold",
        "not measured",
        "39 to 42",
        "Anger",
        "Calibration",
        "Lines for another customer",
        "Test and retest",
        "Failures",
    ):
        assert wanted in page


def test_a_run_in_which_all_failed_still_has_a_page(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    rows = (run / "results.jsonl").read_text().splitlines()
    (run / "results.jsonl").write_text(next(row for row in rows if '"failed"' in row) + "\n")
    write_report(run)
    assert "No results" in (run / "report.html").read_text()


def test_inspects_own_reader_reads_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from inspect_ai import log

    monkeypatch.setattr(inspect_log, "HELD", 5)  # written in several goes
    read = log.read_eval_log(str(write_inspect_log(a_run(tmp_path / "run"))))
    assert (read.status, read.eval.task, read.results.completed_samples) == ("success", "defuse/trainees", 18)
    samples = {sample.id: sample for sample in read.samples}
    assert len(samples) == 19
    assert samples["call/0"].scores["overall score"].value == 40
    assert [message.role for message in samples["call/0"].messages] == ["user", "assistant"]
    assert samples["f"].error.message == HOSTILE
    assert not samples["f"].scores  # a failure is never a mark
    assert read.results.scores[0].metrics["overall.expert"].value == 40.5


def test_a_comparison_tells_a_change_from_chance(tmp_path: Path) -> None:
    before = a_run(tmp_path / "a")
    better = compare(before, a_run(tmp_path / "b", overall=55))
    verdicts = {(change.measure, change.group): change.verdict for change in better.changes}
    assert verdicts["overall score", HOSTILE] == "better"
    assert verdicts["anger at the end", HOSTILE] == "no more than chance"
    assert (better.cases, better.only_a, better.only_b) == (18, 0, 0)
    assert compare(tmp_path / "b", before).changes[0].verdict == "worse"
    assert {change.verdict for change in compare(before, before).changes} == {"no more than chance"}
    assert "seeds differ" in " ".join(compare(before, a_run(tmp_path / "c", seed=5)).notes)


def test_what_cannot_be_compared_says_so(tmp_path: Path) -> None:
    run = a_run(tmp_path / "a")
    with pytest.raises(InputError, match="two runs of one suite"):
        compare(run, a_run(tmp_path / "b", suite="attacks"))
    with pytest.raises(InputError, match="finished run"):
        compare(run, tmp_path)


class _Wordy:
    """Finds empathy where a comma is, and leans on the order in its batch if told to."""

    name = "wordy"

    def __init__(self, by_order: bool) -> None:
        self.by_order = by_order

    def judge(self, readings):
        empathy = Move.SPECIFIC_EMPATHY
        return [
            Judgement(
                present=(empathy,) if "," in reading.reply else (),
                probabilities={empathy: k / len(readings) if self.by_order else 0.5},
            )
            for k, reading in enumerate(readings)
        ]


def test_a_retest_finds_an_evaluator_that_hangs_on_words_or_on_order(tmp_path: Path) -> None:
    cases = list(retest_cases())
    assert len(cases) == 60
    for by_order in (False, True):
        with JudgedOnce(_Wordy(by_order), tmp_path / f"{by_order}.sqlite") as judge:
            rows = [row for row in retest(cases, judge) if isinstance(row, RetestRow)]
        found = retest_figures(rows)
        assert len(rows) == 60
        assert 0.2 < found["retest_same_moves"].value < 1
        assert found["retest_turned"].value == 0
        assert (found["retest_drift"].value > 0.3) == by_order


class _Deaf:
    """Takes every line in as empathy that meets the story's first point, whomever it means, or only `mine`."""

    name = "deaf"

    def __init__(self, mine: set[tuple[str, str]] | None = None) -> None:
        self.mine = mine

    def judge(self, readings):
        return [
            Judgement(
                present=(Move.SPECIFIC_EMPATHY,),
                acknowledged=(reading.persona.story[0].id,),
                uncertain=self.mine is not None and (reading.persona.id, reading.reply) not in self.mine,
            )
            for reading in readings
        ]


def test_an_evaluator_that_hears_anything_kind_is_found_out(tmp_path: Path) -> None:
    cases = list(misplaced_cases("validation"))
    assert len({case.key for case in cases}) == len(cases) > 100
    for case in cases:
        own, *others = case.readings
        assert len(others) == 2
        assert len({one.persona.id for one in case.readings}) == 3
        assert all(one.history for one in others)
        assert {one.reply for one in case.readings} == {own.reply}
    mine = {(case.readings[0].persona.id, case.readings[0].reply) for case in cases}
    for judge, passing in ((_Deaf(), 1.0), (_Deaf(mine), 0.0)):
        with JudgedOnce(judge, tmp_path / f"{passing}.sqlite") as judged:
            rows = [row for row in misplaced(cases, judged) if isinstance(row, MisplacedRow)]
        found = misplaced_figures(rows)
        assert found["misplaced_fell.validation"].value == passing
        assert found["misplaced_met.validation"].value == passing
        assert found["own_fell.validation"].value == found["own_met.validation"].value == 1.0


def test_paraphrases_are_other_words() -> None:
    for case in retest_cases():
        said = [case.item.reading.reply, *case.others]
        assert len({text.casefold() for text in said}) == 4, case.key
