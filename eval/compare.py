"""Two runs of a suite, case by case: what changed, and whether it is more than the luck of the draw."""

from collections import defaultdict
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from eval.measures import group_of, measures
from eval.report import rows_of, summary_of
from eval.statistics import holm, paired
from simulator.jsonl import InputError
from simulator.moves import Frozen

LEVEL = 0.05  # of the p value, corrected for the number of measures


class Change(Frozen):
    """One measure in both runs: means, the mean of b minus a with the bootstrap's middle 95 %, and the permutation test's
    p, corrected after Holm. `verdict` says in a word what to make of it."""

    measure: str
    group: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    cases: int
    verdict: Literal["better", "worse", "changed", "no more than chance"]


class Comparison(Frozen):
    """What changed from run a to run b. `notes` say what differs in how they were run."""

    a: str
    b: str
    suite: str
    cases: int
    only_a: int
    only_b: int
    notes: tuple[str, ...]
    changes: tuple[Change, ...]


class _Values:
    """Pairs of one measure, each with its persona (or conversation), by which they are resampled."""

    def __init__(self) -> None:
        self.a: list[float] = []
        self.b: list[float] = []
        self.groups: list[str] = []
        self.better = "neither"


def compare(a: Path, b: Path) -> Comparison:
    """Pair the cases of two runs. Raises InputError when a run cannot be read, or they have no case in common."""
    first, second = summary_of(a), summary_of(b)
    if first["suite"] != second["suite"]:
        raise InputError(f"{b}: is a run of {second['suite']}, {a} of {first['suite']}; give two runs of one suite")
    before = {str(row["case"]): measures(row) for row in rows_of(a) if row["status"] == "ok"}
    values: dict[tuple[str, str], _Values] = defaultdict(_Values)
    seen = 0
    cases_b = 0
    for row in rows_of(b):
        if row["status"] != "ok":
            continue
        cases_b += 1
        if (old := before.get(str(row["case"]))) is None:
            continue
        seen += 1
        for name, new in measures(row).items():
            if name in old:
                found = values[name, group_of(row)]
                found.a.append(old[name].value)
                found.b.append(new.value)
                found.groups.append(str(row.get("persona") or row["case"]))
                found.better = new.better
    if not values:
        raise InputError(f"{a} and {b} have no case in common that both finished; run the suite whole in both")
    return Comparison(
        a=str(a),
        b=str(b),
        suite=str(first["suite"]),
        cases=seen,
        only_a=len(before) - seen,
        only_b=cases_b - seen,
        notes=tuple(_notes(first, second)),
        changes=tuple(_changes(values)),
    )


def _changes(values: dict[tuple[str, str], _Values]) -> list[Change]:
    tested = [(name, group, found, paired(found.a, found.b, found.groups)) for (name, group), found in values.items()]
    corrected = holm([test.p for *_, test in tested])
    return [
        Change(
            measure=name,
            group=group,
            before=sum(found.a) / len(found.a),
            after=sum(found.b) / len(found.b),
            difference=test.difference.mean,
            low=test.difference.low,
            high=test.difference.high,
            p=p,
            cases=test.cases,
            verdict=_verdict(test.difference.mean, p, found.better),
        )
        for (name, group, found, test), p in zip(tested, corrected, strict=True)
    ]


def _verdict(difference: float, p: float, better: str) -> Literal["better", "worse", "changed", "no more than chance"]:
    if p > LEVEL or not difference:
        return "no more than chance"
    if better == "neither":
        return "changed"
    return "better" if (difference > 0) == (better == "higher") else "worse"


def _notes(a: dict[str, object], b: dict[str, object]) -> list[str]:
    """What was not the same in the two runs."""
    notes = []
    if a["version"] != b["version"]:
        notes.append(f"The suite's versions differ ({a['version']} and {b['version']}); scores may not compare.")
    if a["seed"] != b["seed"]:
        notes.append(f"The seeds differ: {a['seed']} and {b['seed']}.")
    if a["models"] != b["models"]:
        notes.append("The models differ; that may be what is compared.")
    return notes


def show(found: Comparison, console: Console) -> None:
    """Print a comparison: the measures that changed first, then what it rests on."""
    table = Table("measure", "of", "first", "second", "change, middle 95 %", "p", "verdict", title=found.suite)
    for one in sorted(found.changes, key=lambda change: change.p):
        table.add_row(
            one.measure,
            one.group,
            f"{one.before:.2f}",
            f"{one.after:.2f}",
            f"{one.difference:+.2f}, {one.low:+.2f} to {one.high:+.2f}",
            f"{one.p:.3f}",
            one.verdict,
        )
    console.print(table)
    console.print(f"{found.cases} cases in both; {found.only_a} only in the first, {found.only_b} only in the second.")
    console.print("p is corrected for the number of measures (Holm); whole personas or conversations are resampled.")
    for note in found.notes:
        console.print(note)
