"""Runs a suite: cases -> batches -> rows on disk -> figures -> what must hold. A run that was killed goes on where it was."""

import json
import random
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from eval.engine import Engines, load_engines
from eval.inspect_log import write_inspect_log
from eval.judging import JudgedOnce
from eval.provenance import claim, command_line, models_of, write_json
from eval.report import show_summary, write_report
from eval.suite import CallsSuite, LinesSuite, ProbesSuite, RecordedSuite, RepliesSuite, Suite, SuiteError
from eval.transcripts import RecordedWork
from eval.work import Measured, Options, Work

LOCK = "run.lock"  # held while something runs in the folder


class Outcome(NamedTuple):
    """How a run ended. `holds` is whether everything that must hold does, and no case of it failed."""

    summary: dict[str, Any]
    holds: bool


def run(suite: Suite, out: Path, options: Options, console: Console | None = None) -> Outcome:
    """Run `suite` into the folder `out`, or finish a run of the same suite that was begun there.

    Raises SuiteError when `out` holds another run, ModelError when a model cannot be loaded.
    """
    console = console or Console()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SuiteError(f"{out}: cannot be a folder ({error.strerror}); give another one with --out") from error
    lock = FileLock(out / LOCK, timeout=2)  # a page that looks whether it is held holds it for a moment
    try:
        with lock:
            return _run_alone(suite, out, options, console)
    except Timeout as error:
        raise SuiteError(f"{out}: a run is going on there; wait for it, or give another folder with --out") from error


def _run_alone(suite: Suite, out: Path, options: Options, console: Console) -> Outcome:
    engines = load_engines(suite, options)
    claim(out, suite, options, engines)
    results = out / "results.jsonl"
    with JudgedOnce(engines.judge, out / "judgements.sqlite", engines.judged_at_once) as judge:
        work = work_for(suite, options, engines, judge)
        done = _settled(results)
        cases: Iterable[Any]
        if isinstance(work, RecordedWork) and options.most_cases is None:  # any number: never held, and masked once
            cases, total = work.cases(), work.count()
        else:
            cases = _sample(work.cases(), options.most_cases, suite.seed)
            total = len(cases)
        left = (case for case in cases if case.key not in done)
        _run(work, left, len(done), None if total is None else total - len(done), results, suite.batch, console)
    summary = _summary(suite, engines, work, results)
    write_json(out / "summary.json", summary)
    write_report(out)
    if find_spec("inspect_ai"):  # an extra
        write_inspect_log(out)
    show_summary(summary, console)
    ok, failed = (summary["counts"][status] for status in ("ok", "failed"))
    whole = ok > 0 and not (failed and summary["must_hold"])  # what failed may be what does not hold
    return Outcome(summary, whole and all(rule["holds"] for rule in summary["must_hold"]))


def work_for(suite: Suite, options: Options, engines: Engines, judge: JudgedOnce) -> Work:
    """The work of this kind of suite."""
    from eval.suite import chosen_personas

    match suite:
        case CallsSuite():
            from eval.calls import CallsWork

            return CallsWork(suite, chosen_personas(suite.personas, options.personas), engines, judge)
        case ProbesSuite():
            from eval.probes import ProbesWork

            return ProbesWork(suite, chosen_personas(suite.personas, options.personas), options, judge)
        case RepliesSuite():
            from eval.replies import RepliesWork

            return RepliesWork(suite, options, judge)
        case LinesSuite():
            from eval.speech import LinesWork

            return LinesWork(suite, chosen_personas(suite.personas, options.personas), engines, judge)
        case RecordedSuite():
            return RecordedWork(suite, options, judge)


def _settled(results: Path) -> set[str]:
    """Keys of the cases that are done. A last line cut short by a kill is dropped; failures are tried again."""
    if not results.is_file():
        return set()
    done: set[str] = set()
    part = results.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for row in _read(results):
            if row["status"] == "ok":
                done.add(str(row["case"]))
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    part.replace(results)
    return done


def _read(results: Path) -> Iterator[dict[str, Any]]:
    with results.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def _sample(cases: Iterable[Any], most: int | None, seed: int) -> list[Any]:
    """`most` of the cases, drawn by the suite's seed, in their order; never more of them at once than that (a reservoir;
    Vitter, 1985)."""
    chance, drawn = random.Random(seed), list[tuple[int, Any]]()
    for i, case in enumerate(cases):
        if most is None or i < most:
            drawn.append((i, case))
        elif (place := chance.randrange(i + 1)) < most:
            drawn[place] = (i, case)
    return [case for _, case in sorted(drawn, key=lambda one: one[0])]


def _run(
    work: Work, left: Iterator[Any], done: int, total: int | None, results: Path, batch: int, console: Console
) -> None:
    """Run what is `left`, `total` cases beside those `done`; how far it is stands in progress.json, for whoever watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with results.open("a", encoding="utf-8") as file, Progress(*columns, console=console, transient=True) as progress:
        progress.add_task("cases", total=total)
        now = progress.tasks[0]
        told = 0.0

        def tell() -> None:
            seen = {"done": done + int(now.completed), "total": None if total is None else done + total}
            write_json(results.with_name("progress.json"), {**seen, "seconds_left": now.time_remaining})

        tell()
        while chosen := list(islice(left, batch)):
            for row in work.run(chosen):
                file.write(row.model_dump_json() + "\n")
                file.flush()
                progress.advance(now.id)
                if time.monotonic() - told > 1:
                    tell()
                    told = time.monotonic()
        tell()


class _Rate(ProgressColumn):
    """Cases a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


def _summary(suite: Suite, engines: Engines, work: Work, results: Path) -> dict[str, Any]:
    counts = {"ok": 0, "failed": 0}
    for row in _read(results):
        counts[row["status"]] += 1
    measured = work.measure(work.read(row) for row in _read(results) if row["status"] == "ok")
    rules = [_rule(rule, measured) for rule in suite.must_hold]
    bounds = {rule.metric: (rule.goal, found["holds"]) for rule, found in zip(suite.must_hold, rules, strict=True)}
    metrics = {
        name: {
            **found.model_dump(),
            **({"goal": bounds[name][0], "holds": bounds[name][1]} if name in bounds else {}),
        }
        for name, found in measured.metrics.items()
        if suite.wants(name)
    }
    return {
        "suite": suite.suite,
        "version": suite.version,
        "seed": suite.seed,
        "counts": counts,
        "metrics": metrics,
        "groups": measured.groups,
        "must_hold": rules,
        "models": models_of(suite, engines),
        "command": command_line(),
    }


def _rule(rule: Any, measured: Measured) -> dict[str, Any]:
    """A rule about something that was not measured does not hold: no data is no proof."""
    found = measured.metrics.get(rule.metric)
    seen = None if found is None else found.value
    return {"rule": rule.rule, "metric": rule.metric, "goal": rule.goal, "holds": seen is not None and rule.holds(seen),
            "seen": seen}  # fmt: skip
