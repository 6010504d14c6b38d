"""Evaluate: trainers choose a suite, see how far it is, and read its report."""

from typing import NamedTuple

from eval.suite import RecordedSuite, Suite, load_suite, shipped
from simulator.evaluations import EvaluationError, Evaluations, Rule, Run
from simulator.ui.door import Visitor, trainers_only
from simulator.ui.screen import EVALUATE, LostError, Screen
from simulator.ui.words import cap, download, esc, local_time, plural

CASES = {"": "All cases", "50": "50 cases, drawn from all"}


class Wanted(NamedTuple):
    """What a button of the page asks for: `run`, `on` or `stop`, of which suite, and how many cases ("" for all)."""

    act: str
    suite: str
    cases: str


class Evaluate:
    """The page over the runs. Each wish asks first whether this is a trainer."""

    def __init__(self, evaluations: Evaluations) -> None:
        self._runs = evaluations
        every = {name: load_suite(name) for name in shipped()}
        # Recordings lie in a folder that no page should be able to name; the command line does.
        self._suites = {name: suite for name, suite in every.items() if not isinstance(suite, RecordedSuite)}

    def go(self, visitor: Visitor, place: str) -> Screen:
        """The page at `evaluate`, or a report at `evaluate/SUITE`. Raises AccessError and LostError."""
        trainers_only(visitor)
        which = place.strip("#/").partition("/")[2]
        if not which:
            return Screen(page=EVALUATE, place=EVALUATE, notice="", evaluate=self._page(), ticking=True)
        report = self._runs.report(which) if which in self._suites else None
        if report is None:
            raise LostError("There is no report of that suite yet. Run it under “Evaluate”.")
        return Screen(page=EVALUATE, place=f"{EVALUATE}/{which}", notice="", evaluate=_report(which, report))

    def wish(self, visitor: Visitor, asked: Wanted) -> Screen:
        """Start, go on with, or stop a run. Raises AccessError."""
        trainers_only(visitor)
        try:
            if asked.suite not in self._suites:
                raise EvaluationError("There is no such suite. Choose one of these.")
            if asked.act == "stop":
                self._runs.stop(asked.suite)
            else:
                most = int(asked.cases) if asked.cases in CASES and asked.cases else None
                self._runs.start(asked.suite, most, go_on=asked.act == "on")
        except EvaluationError as error:
            return Screen(evaluate=self._page(str(error)))
        return Screen(evaluate=self._page(), focus=f"suite-{asked.suite}")

    def tick(self, visitor: Visitor, place: str) -> Screen:
        """How far the run is, for a page that is open."""
        if not visitor.trains or place.strip("#/") != EVALUATE:
            return Screen(ticking=False)
        return Screen(evaluate=self._page())

    def _page(self, trouble: str = "") -> str:
        busy = self._runs.running()
        said = f'<div class="trouble" role="alert"><p>{esc(trouble)}</p></div>' if trouble else ""
        options = "".join(f'<option value="{key}">{shown}</option>' for key, shown in CASES.items())
        return (
            f'<h1 tabindex="-1">Evaluate</h1>{said}'
            '<p class="lead">A suite plays or reads its cases with the models of these pages and says what holds. It runs '
            "beside the calls and gives way to them, goes on when you leave this page, and can be stopped and taken up "
            "again. Recorded conversations of your own are graded from the command line: "
            "<code>defuse eval run recorded --data FOLDER --out DIR</code>.</p>"
            f'<p class="filters"><label>How many cases <select data-cases>{options}</select></label></p>'
            f'<div class="suites">{"".join(self._suite(name, busy) for name in self._suites)}</div>'
        )

    def _suite(self, name: str, busy: str | None) -> str:
        suite, run = self._suites[name], self._runs.latest(name)
        reads = self._runs.report(name) is not None
        report = f'<a class="text" href="#/{EVALUATE}/{esc(name)}">Read the report</a>' if reads else ""
        return (
            f'<section aria-labelledby="suite-{esc(name)}"><h2 id="suite-{esc(name)}" tabindex="-1">{esc(_title(name))}</h2>'
            f"<p>{esc(suite.about)}.</p>{_goals(suite, run)}{_state(run)}"
            f'<p class="actions">{_buttons(name, run, busy)}{report}</p></section>'
        )


def _title(name: str) -> str:
    return cap(name.replace("-", " "))


def _goals(suite: Suite, run: Run | None) -> str:
    """What must hold, and, once it was measured, whether it does."""
    if run is not None and run.ended:
        return _list([_rule(rule) for rule in run.rules])
    return _list([f"<li>{esc(cap(rule.rule))}</li>" for rule in suite.must_hold])


def _list(items: list[str]) -> str:
    return f'<p class="quiet">What must hold</p><ul class="rules">{"".join(items)}</ul>' if items else ""


def _rule(rule: Rule) -> str:
    seen = "not measured" if rule.seen is None else f"{rule.seen:.3g}; wanted: {rule.goal}"
    mark, word = ("✓", "holds") if rule.holds else ("✗", "does not hold")
    return (
        f'<li class="{"good" if rule.holds else "bad"}"><span aria-hidden="true">{mark}</span> {esc(cap(rule.rule))} '
        f"<small>({word}, {seen})</small></li>"
    )


def _state(run: Run | None) -> str:
    """Where the last run stands; what a screen reader hears of it changes only when it begins or ends."""
    if run is None:
        return '<p class="quiet" role="status">Not run yet.</p>'
    asked = f"{plural(run.most, 'case')} asked for, " if run.most else ""
    began = f"{asked}begun {local_time(run.began)}"
    if run.running:
        return f'<p role="status">Running, {began}.</p>{_progress(run)}'
    if run.ended:
        verdict = "Everything that must hold does." if run.holds else "Something that must hold does not."
        verdict = "Nothing must hold; the figures are in the report." if not run.rules else verdict
        failed = f" {cap(plural(run.failed, 'case'))} could not be run." if run.failed else ""
        return f'<p role="status"><b>{verdict}</b>{failed} {cap(plural(run.done, "case"))}, {began}.</p>'
    why = f" It said: <q>{esc(run.error)}</q>" if run.error else ""
    of = f" of {run.total:,}" if run.total else ""
    return f'<p role="status">Stopped after {run.done:,}{of} cases, {began}.{why}</p>'


def _progress(run: Run) -> str:
    if not run.total:
        return '<p class="quiet">Loading the models …</p><progress aria-label="Cases done"></progress>'
    left = "" if run.seconds_left is None else f", {_time(run.seconds_left)} left"
    if run.done >= run.total:
        left = ", working out the figures"
    return (
        f'<p class="quiet">{run.done:,} of {run.total:,} cases{left}</p>'
        f'<progress max="{run.total}" value="{run.done}" aria-label="Cases done"></progress>'
    )


def _time(seconds: float) -> str:
    if seconds < 90:
        return "about a minute"
    return f"about {plural(round(seconds / 60), 'minute')}" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def _buttons(name: str, run: Run | None, busy: str | None) -> str:
    def button(act: str, label: str, look: str = "plain") -> str:
        spoken = f"{label}: {_title(name)}"
        return (
            f'<button type="button" class="{look}" data-run="{act}" data-suite="{esc(name)}" aria-label="{esc(spoken)}"'
            f"{' data-held disabled' if busy not in (None, name) else ''}>{label}</button>"
        )

    if busy == name:
        return button("stop", "Stop")
    if run is not None and run.running:
        return ""  # another server's, which alone can stop it
    if run is not None and not run.ended:
        return button("on", "Go on", "plain primary-look") + button("run", "Start anew")
    return button("run", "Run again" if run else "Run")


def _report(name: str, report: str) -> str:
    """The report in a frame that may run nothing and reach nothing."""
    return (
        f'<nav aria-label="Back"><a class="text" href="#/{EVALUATE}">All suites</a></nav>'
        f'<h1 tabindex="-1">Report: {esc(_title(name))}</h1>'
        f'<p class="downloads">{download(f"{name}.html", "text/html", report, "Save the report")}</p>'
        f'<iframe class="report" sandbox title="Report of {esc(_title(name))}" srcdoc="{esc(report)}"></iframe>'
    )
