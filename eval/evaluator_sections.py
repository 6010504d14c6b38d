"""What a report shows of the evaluator: labelled replies, lines said to another customer, the same thing in other words."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from statistics import mean

from eval import charts
from eval.metrics import NOTHING, confused, f1, reliability
from eval.sections import Case, Figure, Line, Row, Section, Worst
from eval.statistics import bootstrap, interval
from simulator.moves import MOVES


class Replies:
    """The evaluator against labelled replies, by set."""

    def __init__(self) -> None:
        self._labels: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = defaultdict(list)
        self._chances: dict[str, list[tuple[float, bool]]] = defaultdict(list)
        self._worst = Worst()

    def take(self, row: Row) -> None:
        group = row.get("group", "all")
        wanted, found = frozenset(row["wanted"]), frozenset(row["found"])
        self._labels[group].append((wanted, found))
        chances = row.get("probabilities") or {}
        self._chances[group] += [(chance, move in wanted) for move, chance in chances.items()]
        surprise = sum(abs(chances.get(move, 0.5) - (move in wanted)) for move in wanted ^ found)
        self._worst.take(surprise, row)

    def done(self) -> Section:
        figures = []
        for group, pairs in self._labels.items():
            rows = [(_words(m), f1(pairs, m), *bootstrap(pairs, partial(f1, move=m), 200)) for m in MOVES]
            says = f"{len(pairs)} replies: " + "; ".join(f"{row[0]} {row[1]:.2f}" for row in rows)
            figures.append(Figure(f"F1 by move: {group}", says, charts.intervals(rows, "F1")))
            names = [_words(move) for move in MOVES]
            figures.append(
                Figure(
                    f"What was found for what was wanted: {group}",
                    "A row is a move that a reply makes. On the diagonal it was found; else the moves that were found "
                    "and not wanted stand in its place, or nothing. Counts of replies.",
                    charts.confusion(names, [*names, NOTHING], _in_words(confused(pairs))),
                    wide=True,
                )
            )
            if chances := self._chances[group]:
                bins = reliability([said for said, _ in chances], [so for _, so in chances])
                says = "; ".join(f"said {said:.2f}, was {was:.2f} of {n}" for said, was, n in bins)
                svg = charts.calibration(bins)
                figures.append(Figure(f"Calibration: {group}", f"All moves together, in ten bins: {says}", svg))
        cases = [
            Case(
                f"{row['persona'] or 'no persona'}, {row['case']}",
                f"wanted {', '.join(row['wanted']) or NOTHING}; found {', '.join(row['found']) or NOTHING}",
                [Line("trainee", row["reply"])],
            )
            for row in self._worst.rows()
        ]
        return Section("Labelled replies", figures, cases, "The replies that it was surest of, and wrong")


class Misplaced:
    """Empathic lines, said to the customer whom they mean and to others."""

    def __init__(self) -> None:
        self._fell: dict[str, list[tuple[bool, str]]] = defaultdict(list)
        self._worst = Worst()

    def take(self, row: Row) -> None:
        self._fell[f"{row['group']}: their own customer"].append((row["own"]["fell"], row["case"]))
        self._fell[f"{row['group']}: another"] += [(one["fell"], row["case"]) for one in row["others"]]
        if any(one["fell"] for one in row["others"]):
            self._worst.take(-min(one["change"] for one in row["others"]), row)

    def done(self) -> Section:
        rows = [(name, *interval([f for f, _ in found], [c for _, c in found])) for name, found in self._fell.items()]
        says = "; ".join(f"{name} {share:.0%}" for name, share, *_ in rows)
        figures = [Figure("Empathic lines that lower anger", says, charts.intervals(rows, "share of lines"))]
        cases = []
        for row in self._worst.rows():
            other = min(row["others"], key=lambda one: float(one["change"]))
            why = f"anger {other['change']:+.1f}; met: {', '.join(other['points']) or NOTHING}"
            cases.append(
                Case(
                    f"meant for {row['own']['persona']}, said to {other['persona']}",
                    why,
                    [Line("trainee", row["reply"])],
                )
            )
        return Section("Lines for another customer", figures, cases, "The misplaced lines that lowered anger most")


class Retests:
    """The same thing said in other words, and judged again in other company."""

    def __init__(self) -> None:
        self._changes: list[tuple[float, float]] = []
        self._same: dict[str, list[tuple[bool, str]]] = defaultdict(list)
        self._worst = Worst()

    def take(self, row: Row) -> None:
        first, *others = row["readings"]
        for other in others:
            self._changes.append((first["change"], other["change"]))
            for move in {*first["found"], *other["found"]}:
                self._same[move].append((move in first["found"] and move in other["found"], row["case"]))
        spread = max(one["change"] for one in row["readings"]) - min(one["change"] for one in row["readings"])
        self._worst.take(spread, row)

    def done(self) -> Section:
        rows = [
            (_words(move), *interval([same for same, _ in found], [case for _, case in found]))
            for move, found in sorted(self._same.items())
        ]
        low = min(-1.0, *(value for pair in self._changes for value in pair))
        high = max(1.0, *(value for pair in self._changes for value in pair))
        figures = [
            Figure(
                "Found in both wordings, by move",
                "Of the pairs in which one wording had the move: " + "; ".join(f"{r[0]} {r[1]:.0%}" for r in rows),
                charts.intervals(rows, "share of pairs"),
            ),
            Figure(
                "Change of anger, first wording and the others",
                f"{len(self._changes)} pairs, mean distance {mean(abs(a - b) for a, b in self._changes):.2f} points",
                charts.scatter(self._changes, "first wording, points", "another wording, points", low, high),
            ),
        ]
        cases = [
            Case(
                f"{row['persona']}, {row['case']}",
                f"wanted {', '.join(row['wanted']) or NOTHING}",
                [
                    Line(f"{o['change']:+.1f}", o["text"], None, ", ".join(o["found"]) or NOTHING)
                    for o in row["readings"]
                ],
            )
            for row in self._worst.rows()
        ]
        return Section("Test and retest", figures, cases, "The replies whose wordings were taken most differently")


def _words(move: str) -> str:
    return str(move).replace("_", " ")


def _in_words(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {(_words(wanted), _words(found)): n for (wanted, found), n in counts.items()}
