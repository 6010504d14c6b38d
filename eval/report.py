"""A run as a page that can be sent on by itself, and as tables for the terminal."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console
from rich.table import Table

from eval.customer_sections import Calls, Lines, Probes
from eval.evaluator_sections import Misplaced, Replies, Retests
from eval.sections import Gathers, sections
from simulator.jsonl import InputError

MOST_FAILURES = 50  # shown; all of them are in results.jsonl
HERE = Path(__file__).parent
SECTIONS: Mapping[str, Callable[[], Gathers]] = {
    "call": lambda: Calls(
        "Calls", lambda row: str(row["trainee"]), "Calls whose score and ending sit oddly, or that scored low"
    ),
    "recorded": lambda: Calls("Recorded conversations", lambda _: "recorded", "The lowest scores"),
    "probe": Probes,
    "reply": Replies,
    "misplaced": Misplaced,
    "retest": Retests,
    "line": Lines,
}


def show_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print a run: its figures with their intervals, its groups, and what must hold."""
    counts = summary["counts"]
    title = f"{summary['suite']}: {counts['ok']} cases" + (f", {counts['failed']} failed" if counts["failed"] else "")
    figures = Table("figure", "value", "middle 95 %", "n", title=title)
    for name, one in summary["metrics"].items():
        figures.add_row(name, f"{one['value']:.3f}", f"{one['low']:.3f} to {one['high']:.3f}", str(one["n"]))
    console.print(figures)
    columns = list(dict.fromkeys(name for group in summary["groups"].values() for name in group))
    groups = Table("group", *columns)
    for name, group in summary["groups"].items():
        groups.add_row(name, *(f"{group.get(column, 0):g}" for column in columns))
    console.print(groups)
    for rule in summary["must_hold"]:
        seen = "not measured" if rule["seen"] is None else f"{rule['seen']:.3f}"
        console.print(f"{'holds' if rule['holds'] else 'FAILS'}: {rule['rule']} ({rule['goal']}; seen {seen})")


def rows_of(directory: Path) -> Iterator[dict[str, Any]]:
    """The rows of a run, one at a time; a last line cut short by a kill is passed over. Raises InputError."""
    path = directory / "results.jsonl"
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield json.loads(line)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give the folder that a run wrote") from error


def summary_of(directory: Path, name: str = "summary.json") -> dict[str, Any]:
    """`summary.json`, or another note of a run. Raises InputError."""
    path = directory / name
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give the folder of a finished run") from error
    return data


def write_report(directory: Path) -> None:
    """Write `report.html` from the rows and the summary of a run: one file, whole without a network. Raises InputError."""
    summary = summary_of(directory)
    note = summary_of(directory, "run.json") if (directory / "run.json").is_file() else {}
    failures = list(islice((row for row in rows_of(directory) if row["status"] != "ok"), MOST_FAILURES))
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": _number, "words": lambda text: str(text).replace("_", " ").replace(".", ", ")}
    facts = {**summary["models"], **note.get("versions", {}), "seed": summary["seed"], "command": summary["command"]}
    page = environment.get_template("report.html.j2").render(
        summary=summary,
        started=str(note.get("started", ""))[:16].replace("T", " "),
        sections=sections(rows_of(directory), SECTIONS),
        columns=list(dict.fromkeys(name for group in summary["groups"].values() for name in group)),
        failures=failures,
        facts=list(facts.items()),
        style=Markup((HERE / "report.css").read_text(encoding="utf-8")),  # noqa: S704  our own file
    )
    part = directory / "report.part"  # whoever reads it meanwhile reads the whole of one
    part.write_text(page, encoding="utf-8")
    part.replace(directory / "report.html")


def _number(value: float | None) -> str:
    """Three decimals under 10, one from there on; a count as it is."""
    if value is None:
        return "not measured"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
