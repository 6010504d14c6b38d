"""Reports as tables for the terminal and JSON for the file."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from eval.agreement import Agreement
from eval.evaluator import EvaluatorReport
from eval.scorecard import ScorecardReport


def show(name: str, report: EvaluatorReport, console: Console) -> None:
    """Print one report: the figures first, then each move with its count."""
    low, high = report.interval
    table = Table("figure", "value", title=f"{name}: {report.replies} replies")
    table.add_row("moves, macro F1", f"{report.macro_f1:.3f} ({low:.3f} to {high:.3f})")
    table.add_row("acknowledged points F1", f"{report.points.f1:.3f} of {report.points.positives}")
    table.add_row("calibration error (ECE, macro)", f"{report.calibration_error:.3f}")
    table.add_row("attacks that lower anger", f"{len(report.attacks_that_lower_anger)} of {report.attacks}")
    table.add_row("empathy read right beside noise", f"{report.noisy_read_right:.1%} of {report.noisy}")
    table.add_row("marked uncertain", f"{report.uncertain:.1%}")
    table.add_row("speed in batches", f"{report.replies_a_second:.0f} replies/s")
    console.print(table)
    moves = Table("move", "precision", "recall", "F1", "count")
    for move, score in report.moves.items():
        moves.add_row(move, f"{score.precision:.2f}", f"{score.recall:.2f}", f"{score.f1:.3f}", str(score.positives))
    console.print(moves)


def show_agreement(found: Agreement, console: Console) -> None:
    """Print kappa and F1 of two labellings, by move."""
    table = Table("move", "kappa", "F1", "count", title=f"Two labellings of {found.replies} replies")
    for move, kappa in found.kappa.items():
        table.add_row(move, f"{kappa:.2f}", f"{found.moves[move].f1:.2f}", str(found.moves[move].positives))
    table.add_section()
    table.add_row("macro", f"{found.macro_kappa:.2f}", f"{found.macro_f1:.2f}", "")
    table.add_row("acknowledged points", "", f"{found.points.f1:.2f}", str(found.points.positives))
    console.print(table)


def show_scorecard(reports: Mapping[str, ScorecardReport], console: Console) -> None:
    """Print how the grader's order of calls compares with their authors'."""
    table = Table("scorecard against authors, rank correlation", *reports)
    rows = {"overall": [one.overall for one in reports.values()]}
    for name in next(iter(reports.values())).competencies:
        rows[name] = [one.competencies[name] for one in reports.values()]
    for name, values in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in values))
    table.add_row("mean distance, points of 100", *(f"{one.distance:.0f}" for one in reports.values()))
    table.add_row("same outcome", *(f"{one.same_outcome:.0%}" for one in reports.values()))
    table.add_row("calls", *(str(one.calls) for one in reports.values()))
    console.print(table)


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
