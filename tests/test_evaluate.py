"""Evaluate: a real suite is run by a real process from the page, stopped, taken up, and its report is read."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.accounts import Role
from simulator.evaluations import EvaluationError, Evaluations
from simulator.ui.door import AccessError, Visitor
from simulator.ui.evaluate import Evaluate, Wanted
from simulator.ui.screen import LostError

TRAINER = Visitor(owner="a" * 64, name="Anna", role=Role.TRAINER)
TRAINEE = Visitor(owner="b" * 64, name="Bela", role=Role.TRAINEE)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 240
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def runs(tmp_path: Path):
    found = Evaluations(tmp_path)
    yield found
    found.stop()


def test_only_trainers_evaluate(runs: Evaluations) -> None:
    page = Evaluate(runs)
    for wish in (lambda: page.go(TRAINEE, "evaluate"), lambda: page.wish(TRAINEE, Wanted("run", "attacks", ""))):
        with pytest.raises(AccessError):
            wish()
    assert page.tick(TRAINEE, "evaluate").evaluate is None
    assert runs.running() is None


def test_a_suite_from_start_to_report(runs: Evaluations) -> None:
    page = Evaluate(runs)
    first = page.go(TRAINER, "evaluate")
    assert first.ticking
    assert first.evaluate is not None
    assert "Not run yet" in first.evaluate
    assert "recorded" not in first.evaluate.replace("eval run recorded", ""), (
        "recordings lie in folders of the command line"
    )
    with pytest.raises(LostError, match="no report"):
        page.go(TRAINER, "evaluate/canned-empathy")

    page.wish(TRAINER, Wanted("run", "canned-empathy", "50"))
    assert runs.running() == "canned-empathy"
    busy = page.wish(TRAINER, Wanted("run", "attacks", "")).evaluate
    assert busy is not None
    assert "canned-empathy is running" in busy
    until(lambda: runs.running() is None)

    run = runs.latest("canned-empathy")
    assert run is not None
    assert (run.ended, run.done, run.total, run.most, run.failed, run.error) == (True, 50, 50, 50, 0, "")
    assert run.rules
    shown = page.tick(TRAINER, "evaluate").evaluate
    assert shown is not None
    assert ("Everything that must hold does." in shown) == run.holds
    report = page.go(TRAINER, "evaluate/canned-empathy").evaluate
    assert report is not None
    assert "sandbox" in report
    assert "&lt;html" in report, "the report stands in a frame of its own, as text of this page"


def test_what_was_stopped_goes_on(runs: Evaluations, tmp_path: Path) -> None:
    page = Evaluate(runs)
    page.wish(TRAINER, Wanted("run", "canned-empathy", ""))
    until(lambda: (runs.latest("canned-empathy") or runs).__dict__.get("done"))
    page.wish(TRAINER, Wanted("stop", "canned-empathy", ""))
    stopped = Evaluations(tmp_path).latest("canned-empathy")  # as another process finds it
    assert stopped is not None
    assert not stopped.running
    assert not stopped.ended
    assert stopped.total is not None
    assert 0 < stopped.done < stopped.total
    shown = page.go(TRAINER, "evaluate").evaluate
    assert shown is not None
    assert 'data-run="on" data-suite="canned-empathy"' in shown
    page.wish(TRAINER, Wanted("on", "canned-empathy", ""))
    until(lambda: runs.latest("canned-empathy").done > stopped.done)  # type: ignore[union-attr]
    assert len(list((tmp_path / "canned-empathy").iterdir())) == 1


def test_a_run_that_cannot_be_says_why(tmp_path: Path) -> None:
    runs = Evaluations(tmp_path, ["--personas", str(tmp_path / "nowhere")])
    runs.start("canned-empathy")
    until(lambda: runs.running() is None)
    shown = Evaluate(runs).go(TRAINER, "evaluate").evaluate
    assert shown is not None
    assert "nowhere" in shown
    assert "Start anew" in shown
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be begun"):
        Evaluations(tmp_path / "file").start("attacks")


@pytest.mark.parametrize("suite", ["../../etc", "recorded", "nonsense"])
def test_only_suites_of_the_page_are_run(runs: Evaluations, suite: str) -> None:
    shown = Evaluate(runs).wish(TRAINER, Wanted("run", suite, "")).evaluate
    assert shown is not None
    assert "There is no such suite" in shown
    assert runs.running() is None
    with pytest.raises(LostError):
        Evaluate(runs).go(TRAINER, f"evaluate/{suite}")


def test_half_written_files_harm_no_page(runs: Evaluations, tmp_path: Path) -> None:
    folder = tmp_path / "attacks" / "20260101T000000Z"
    folder.mkdir(parents=True)
    (folder / "progress.json").write_text('{"done": 3, "tot')
    (folder / "asked.json").write_text(json.dumps(7))
    run = runs.latest("attacks")
    assert run is not None
    assert (run.done, run.total, run.most) == (0, None, None)
    assert Evaluate(runs).go(TRAINER, "evaluate").evaluate
