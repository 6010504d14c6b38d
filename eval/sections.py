"""What a report shows of each kind of row: plots, and the worst cases with their words.

Rows are read as they lie in the file, one at a time; only numbers and the worst cases are kept.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any, NamedTuple

from markupsafe import Markup

from eval import charts
from eval.metrics import NOTHING, confused, f1, reliability
from eval.statistics import bootstrap, interval
from simulator.moves import MOVES

Row = Mapping[str, Any]
WORST = 8  # cases shown in full


class Figure(NamedTuple):
    """One plot with its title and a sentence that says what it shows."""

    title: str
    says: str
    svg: Markup
    wide: bool = False


class Line(NamedTuple):
    """One line of a case; `anger` is the level after it."""

    who: str
    text: str
    anger: float | None = None
    note: str = ""


class Case(NamedTuple):
    """A case with its words, and why it is shown."""

    title: str
    why: str
    lines: list[Line]


class Section(NamedTuple):
    """What the report says about one kind of row."""

    title: str
    figures: list[Figure]
    cases: list[Case]
    cases_are: str


class _Worst:
    """The few rows with the highest badness, whole; the rest go by."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, Row]] = []
        self._seen = 0

    def take(self, badness: float, row: Row) -> None:
        self._seen += 1
        item = (badness, -self._seen, row)
        (heapq.heappush if len(self._kept) < WORST else heapq.heappushpop)(self._kept, item)

    def rows(self) -> list[Row]:
        return [row for _, _, row in sorted(self._kept, key=lambda item: item[:2], reverse=True)]


def sections(rows: Iterable[Row]) -> list[Section]:
    """A section for each kind of row that there is, in the order of SECTIONS. Failed rows are passed over."""
    found = {kind: make() for kind, make in SECTIONS.items()}
    used = set()
    for row in rows:
        if row["status"] == "ok" and row["kind"] in found:
            found[row["kind"]].take(row)
            used.add(row["kind"])
    return [section.done() for kind, section in found.items() if kind in used]


class _Calls:
    """Calls, simulated or recorded: curves and outcomes by trainee, or of all recordings together."""

    def __init__(self, title: str, group: Callable[[Row], str], cases_are: str) -> None:
        self._title, self._group, self._cases_are = title, group, cases_are
        self._curves: dict[str, list[list[float]]] = defaultdict(list)
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self._scores: dict[str, list[float]] = defaultdict(list)
        self._reference: list[tuple[float, float]] = []
        self._worst = _Worst()

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


class _Probes:
    """Single lines said at several levels of anger."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, float], list[tuple[float, str]]] = defaultdict(list)
        self._worst = _Worst()

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


class _Replies:
    """The evaluator against labelled replies, by set."""

    def __init__(self) -> None:
        self._labels: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = defaultdict(list)
        self._chances: dict[str, list[tuple[float, bool]]] = defaultdict(list)
        self._worst = _Worst()

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


class _Retests:
    """The same thing said in other words, and judged again in other company."""

    def __init__(self) -> None:
        self._changes: list[tuple[float, float]] = []
        self._same: dict[str, list[tuple[bool, str]]] = defaultdict(list)
        self._worst = _Worst()

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


class _Lines:
    """The customer's lines: in role, to the point, inventing nothing."""

    def __init__(self) -> None:
        self._shares: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._worst = _Worst()

    def take(self, row: Row) -> None:
        for line in row["lines"]:
            checks = {
                "in role": line["in_role"],
                "its point": line["point_said"],
                "facts right": line["facts_right"],
            }
            for name, value in checks.items():
                if value is not None:
                    self._shares[f"{name}, {row['group']}"].append((float(value), row["persona"]))
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


SECTIONS: Mapping[str, Callable[[], Any]] = {
    "call": lambda: _Calls(
        "Calls", lambda row: str(row["trainee"]), "Calls whose score and ending sit oddly, or that scored low"
    ),
    "recorded": lambda: _Calls("Recorded conversations", lambda _: "recorded", "The lowest scores"),
    "probe": _Probes,
    "reply": _Replies,
    "retest": _Retests,
    "line": _Lines,
}


def by_reply(turns: Sequence[Mapping[str, Any]]) -> list[float]:
    """Anger at the start and after each reply, from the anger after every turn."""
    return [turns[0]["anger"], *(turn["anger"] for turn in turns if turn["role"] == "trainee")]


def _words(move: str) -> str:
    return str(move).replace("_", " ")


def _in_words(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {(_words(wanted), _words(found)): n for (wanted, found), n in counts.items()}
