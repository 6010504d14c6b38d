"""What a report shows of the customer: whole calls, single lines said to it, and the lines that it says."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

from eval import charts
from eval.sections import Case, Figure, Line, Row, Section, Worst
from eval.statistics import interval


class Calls:
    """Calls, simulated or recorded: curves and outcomes by trainee, or of all recordings together."""

    def __init__(self, title: str, group: Callable[[Row], str], cases_are: str) -> None:
        self._title, self._group, self._cases_are = title, group, cases_are
        self._curves: dict[str, list[list[float]]] = defaultdict(list)
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self._scores: dict[str, list[float]] = defaultdict(list)
        self._reference: list[tuple[float, float]] = []
        self._worst = Worst()

    def take(self, row: Row) -> None:
        group = self._group(row)
        self._curves[group].append(by_reply(row["turns"]))
        self._outcomes[group][row["outcome"]] += 1
        self._scores[group].append(row["overall"])
        score = (row.get("reference") or {}).get("score")
        if score is not None:
            self._reference.append((score, row["overall"]))
        # A call is worth reading when the score and the end of it disagree, or when it scores low although it was tried.
        lost = row["outcome"] in ("lost", "placated")
        self._worst.take(row["overall"] if lost and row["kind"] == "call" else 100 - row["overall"], row)

    def done(self) -> Section:
        longest = max(len(curve) for calls in self._curves.values() for curve in calls) - 1
        figures = [
            Figure(
                "How the calls ended",
                f"Share of {', '.join(charts.OUTCOMES.values())} calls; "
                + "; ".join(f"{name}: {sum(found.values())} calls" for name, found in self._outcomes.items()),
                charts.outcome_bars(self._outcomes),
            ),
            Figure(
                "Overall score",
                "Mean score, 0 to 100, with the middle 95 % of it by bootstrap: "
                + "; ".join(f"{name} {mean(found):.0f}" for name, found in self._scores.items()),
                charts.intervals([(name, *interval(s)) for name, s in self._scores.items()], "overall score", 0, 100),
            ),
            *(
                Figure(
                    f"Anger: {name}",
                    f"Anger by reply in {len(calls)} calls: on the mean {mean(c[0] for c in calls):.1f} at the start "
                    f"and {mean(c[-1] for c in calls):.1f} at the end",
                    charts.curves(calls, longest),
                )
                for name, calls in self._curves.items()
            ),
        ]
        if self._reference:
            says = f"{len(self._reference)} conversations that came with a score"
            svg = charts.scatter(self._reference, "score of the source", "overall score", 0, 100)
            figures.append(Figure("Against the source's scores", says, svg))
        return Section(self._title, figures, [self._case(row) for row in self._worst.rows()], self._cases_are)

    def _case(self, row: Row) -> Case:
        who = f"{self._group(row)}, {row['persona'] or 'no persona'}" if row["kind"] == "call" else str(row["case"])
        why = f"{charts.OUTCOMES[row['outcome']]}, overall score {row['overall']:.0f}"
        lines = [Line(t["role"], t["text"], t["anger"], ", ".join(t.get("present", ()))) for t in row["turns"]]
        return Case(who, why, lines)


class Probes:
    """Single lines said at several levels of anger."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, float], list[tuple[float, str]]] = defaultdict(list)
        self._worst = Worst()

    def take(self, row: Row) -> None:
        change = row["anger_after"] - row["anger_before"]
        self._changes[row.get("group", "all"), row["anger_before"]].append((change, row["persona"]))
        self._worst.take(-change, row)

    def done(self) -> Section:
        rows = [
            (f"{group}, at {level:g}", *interval([c for c, _ in found], [p for _, p in found]))
            for (group, level), found in sorted(self._changes.items())
        ]
        most = max(0.5, *(abs(value) for row in rows for value in row[1:]))
        every = [change for found in self._changes.values() for change, _ in found]
        figures = [
            Figure(
                "Change of anger by where it stood",
                "Mean change in points with its interval by persona: " + "; ".join(f"{r[0]} {r[1]:+.2f}" for r in rows),
                charts.intervals(rows, "points of anger", -most, most),
            ),
            Figure(
                "Every change",
                f"{len(every)} lines: {sum(c < 0 for c in every)} lowered the anger, {sum(c > 0 for c in every)} raised it",
                charts.histogram(every, "points of anger", min(-0.5, *every), max(0.5, *every)),
            ),
        ]
        cases = [
            Case(
                f"{row['persona']}, at {row['anger_before']:g}",
                f"{row['anger_after'] - row['anger_before']:+.2f} points"
                + (", uncertain" if row.get("uncertain") else ""),
                [Line("trainee", row["reply"], row["anger_after"], ", ".join(row.get("present", ())))],
            )
            for row in self._worst.rows()
        ]
        return Section("Single lines", figures, cases, "The lines that lowered anger most, or raised it least")


class Lines:
    """The customer's lines: in role, to the point, inventing nothing."""

    def __init__(self) -> None:
        self._shares: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._worst = Worst()

    def take(self, row: Row) -> None:
        for line in row["lines"]:
            checks = {
                "in role": line["in_role"],
                "its point": line["point_said"],
                "facts right": line["facts_right"],
            }
            for name, value in checks.items():
                if value is not None:
                    self._shares[f"{name}, {row['group']}"].append((value, row["persona"]))
            amiss = sum(1 - float(value) for value in checks.values() if value is not None)
            self._worst.take(amiss, {**line, "persona": row["persona"]})

    def done(self) -> Section:
        rows = [(n, *interval([v for v, _ in f], [p for _, p in f])) for n, f in sorted(self._shares.items())]
        says = "; ".join(f"{row[0]} {row[1]:.1%}" for row in rows)
        figures = [Figure("What holds of the customer's lines", f"Shares: {says}", charts.intervals(rows, "share"))]
        cases = [
            Case(
                f"{row['persona']}, {row['mood']}, {row['act']}",
                f"in role: {'yes' if row['in_role'] else 'no'}; facts right: {'yes' if row['facts_right'] else 'no'}"
                + ("" if row["point_said"] is None else f"; of its point said: {row['point_said']:.0%}"),
                [Line("customer", row["text"], row["anger"])],
            )
            for row in self._worst.rows()
        ]
        return Section("The customer's lines", figures, cases, "The lines with most amiss")


def by_reply(turns: Sequence[Mapping[str, Any]]) -> list[float]:
    """Anger at the start and after each reply, from the anger after every turn."""
    return [turns[0]["anger"], *(turn["anger"] for turn in turns if turn["role"] == "trainee")]
