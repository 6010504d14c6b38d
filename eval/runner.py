"""Runs a suite: cases -> batches -> rows on disk -> figures -> what must hold. A run that was killed goes on where it was."""

import hashlib
import json
import platform
import random
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from eval.engine import Engines, load_engines, speaks
from eval.inspect_log import write_inspect_log
from eval.judging import JudgedOnce
from eval.report import show_summary, write_report
from eval.suite import CallsSuite, LinesSuite, ProbesSuite, RecordedSuite, RepliesSuite, Suite, SuiteError
from eval.transcripts import RecordedWork
from eval.work import Measured, Options, Work
from simulator.persona import LIBRARY
from simulator.session import package_version


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
    engines = load_engines(suite, options)
    _claim(out, suite, options, engines)
    results = out / "results.jsonl"
    with JudgedOnce(engines.judge, out / "judgements.sqlite", engines.judged_at_once) as judge:
        work = work_for(suite, options, engines, judge)
        done = _settled(results)
        cases: Iterable[Any]
        if isinstance(work, RecordedWork) and options.most_cases is None:  # any number: never held, and masked once
            cases, total = work.cases(), work.count()
        else:
            every = list(work.cases())
            most = len(every) if options.most_cases is None else options.most_cases
            cases = _sample(every, most, suite.seed)
            total = min(most, len(every))
        left = (case for case in cases if case.key not in done)
        _run(work, left, None if total is None else total - len(done), results, suite.batch, console)
    summary = _summary(suite, engines, work, results)
    _write(out / "summary.json", summary)
    write_report(out)
    if find_spec("inspect_ai"):  # an extra
        write_inspect_log(out)
    show_summary(summary, console)
    whole = not summary["must_hold"] or not summary["counts"]["failed"]  # what failed may be what does not hold
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


def _claim(out: Path, suite: Suite, options: Options, engines: Engines) -> None:
    """Note what runs here; refuse to mix it with another run."""
    chosen = options.model_dump(mode="json", exclude={"executor", "actors"})
    # Who is named as a speaker stands on a recording, and what stands there is not stored as it is.
    chosen["roles"] = {hashlib.sha256(name.encode()).hexdigest()[:12]: role for name, role in options.roles.items()}
    note = {
        "suite": suite.model_dump(mode="json"),
        "options": chosen,
        "models": _models(suite, engines),
        "inputs": _inputs(options),
    }
    path = out / "run.json"
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        for part, wanted in note.items():
            if before.get(part, wanted) != wanted:
                other = "another suite" if part == "suite" else f"other {part}"
                raise SuiteError(f"{out}: holds a run with {other}; give a new folder with --out, or delete it")
        return
    _write(path, {**note, "versions": _versions(), "command": _command(), "started": datetime.now(UTC).isoformat()})


def _inputs(options: Options) -> dict[str, str]:
    """SHA-256 of the personas and the data, so that a run is not gone on with after they have changed."""
    places = {"library": LIBRARY, "personas": options.personas, "data": Path(options.data) if options.data else None}
    return {name: _digest(place) for name, place in places.items() if place is not None and place.exists()}


def _digest(place: Path) -> str:
    found = hashlib.sha256()
    for path in [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file()):
        found.update(path.relative_to(place).as_posix().encode())
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


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


def _sample(cases: list[Any], most: int, seed: int) -> list[Any]:
    """`most` of the cases, drawn by the suite's seed, in their order."""
    drawn = sorted(random.Random(seed).sample(range(len(cases)), min(most, len(cases))))
    return [cases[i] for i in drawn]


def _run(work: Work, left: Iterator[Any], total: int | None, results: Path, batch: int, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with results.open("a", encoding="utf-8") as file, Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("cases", total=total)
        while chosen := list(islice(left, batch)):
            for row in work.run(chosen):
                file.write(row.model_dump_json() + "\n")
                file.flush()
                progress.advance(task)


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
        "models": _models(suite, engines),
        "command": _command(),
    }


def _rule(rule: Any, measured: Measured) -> dict[str, Any]:
    """A rule about something that was not measured does not hold: no data is no proof."""
    found = measured.metrics.get(rule.metric)
    seen = None if found is None else found.value
    return {"rule": rule.rule, "metric": rule.metric, "goal": rule.goal, "holds": seen is not None and rule.holds(seen),
            "seen": seen}  # fmt: skip


def _models(suite: Suite, engines: Engines) -> dict[str, str]:
    named = {"judge": engines.judge.name}
    if speaks(suite) or isinstance(suite, CallsSuite):
        named["customer"] = engines.customer.model.name
    if engines.trainee is not None:
        named["trainee"] = engines.trainee.name
    return named


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    found = {name: version(name) for name in ("torch", "transformers", "datasets", "pydantic")}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {"defuse": package_version(), "commit": commit, "python": platform.python_version(), **found}


def _command() -> str:
    said = [re.sub(r"^.+(?==(?:customer|trainee|skip)$)", "NAME", word) for word in sys.argv[1:]]
    return " ".join([Path(sys.argv[0]).name, *said])


def _write(path: Path, data: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
