"""The evaluator against labelled replies, or a second labeller against the first: what was wanted, what was found."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from sklearn.metrics import cohen_kappa_score

from eval.judging import JudgedOnce
from eval.metrics import calibration_error, score
from eval.misplaced import MisplacedCase, misplaced, misplaced_cases, misplaced_figures, placed
from eval.outside import outside
from eval.retest import RetestCase, retest, retest_cases, retest_figures
from eval.rows import MisplacedRow, ReplyRow, RetestRow, Row
from eval.statistics import bootstrap
from eval.suite import RepliesSuite
from eval.work import Case, Figure, Measured, Options, failed, figure
from simulator.judge import JudgeError
from simulator.models.base import ModelError
from simulator.moves import MOVES, Judgement, Move
from simulator.training.data import LabelledReply, first_labels, replies, second_labels


class ReplyCase(Case):
    """One labelled reply; `second` is what another labeller gave it."""

    group: str
    item: LabelledReply
    second: Judgement | None = None


class RepliesWork:
    """Every labelled reply of the suite's sets."""

    def __init__(self, suite: RepliesSuite, options: Options, judge: JudgedOnce) -> None:
        self._suite = suite
        self._data = Path(options.data) if options.data else None
        self._judge = judge

    def cases(self) -> Iterator[ReplyCase | MisplacedCase | RetestCase]:
        """Replies by set, lines said to others, the retest, then the replies of `--data`."""
        second = {two.id: two for two in second_labels()} if self._suite.labels == "second" else None
        first = {one.id: one for one in first_labels()} if second is not None else {}
        for group in self._suite.splits:
            for item in replies(group):
                if second is None:
                    yield ReplyCase(key=item.id, group=group, item=item)
                elif item.id in second:
                    two = second[item.id]
                    labels = Judgement(present=two.moves, acknowledged=two.acknowledged)
                    one = first.get(item.id, item)  # two people agree or not before anybody settles it
                    own = item.model_copy(update={"moves": one.moves, "acknowledged": one.acknowledged})
                    yield ReplyCase(key=item.id, group=group, item=own, second=labels)
        if self._suite.misplaced:
            for group in self._suite.splits:
                yield from misplaced_cases(group)
        if self._suite.retest:
            yield from retest_cases()
        if self._data is not None and second is None:
            for item in outside(self._data):
                yield ReplyCase(key=f"outside/{item.id}", group="outside", item=item)

    def run(self, cases: Sequence[ReplyCase | MisplacedCase | RetestCase]) -> Iterator[Row]:
        """Judge a batch."""
        if elsewhere := [case for case in cases if isinstance(case, MisplacedCase)]:
            yield from misplaced(elsewhere, self._judge)
        if again := [case for case in cases if isinstance(case, RetestCase)]:
            yield from retest(again, self._judge)
        yield from self._judged([case for case in cases if isinstance(case, ReplyCase)])

    def _judged(self, cases: Sequence[ReplyCase]) -> Iterator[Row]:
        judged = iter(self._judge.each([case.item.reading for case in cases if case.second is None]))
        for case in cases:
            found = case.second or next(judged)
            yield failed(case, "reply", found) if isinstance(found, JudgeError | ModelError) else _row(case, found)

    def read(self, row: Mapping[str, Any]) -> ReplyRow | RetestRow | MisplacedRow:
        """A row as it was written."""
        if row["kind"] == "misplaced":
            return MisplacedRow.model_validate(row)
        if row["kind"] == "retest":
            return RetestRow.model_validate(row)
        return ReplyRow.model_validate(row)

    def measure(self, rows: Iterable[Row]) -> Measured:
        """By set: macro F1 and F1 of each move, F1 of points, calibration, attacks that would lower anger, noise read
        right, lines said to others that would; two labellings also over all sets. Resampled by reply."""
        sets: dict[str, list[ReplyRow]] = defaultdict(list)
        retold: list[RetestRow] = []
        elsewhere: list[MisplacedRow] = []
        for row in rows:
            if isinstance(row, ReplyRow):
                sets[row.group].append(row)
            elif isinstance(row, RetestRow):
                retold.append(row)
            elif isinstance(row, MisplacedRow):
                elsewhere.append(row)
        if self._suite.labels == "second" and len(sets) > 1:
            sets["all"] = [row for mine in sets.values() for row in mine]
        metrics: dict[str, Figure] = {}
        for group, mine in sets.items():
            metrics |= {f"{name}.{group}": value for name, value in self._figures(mine).items()}
        metrics |= misplaced_figures(elsewhere) | retest_figures(retold)
        counts = {group: {"replies": float(len(mine))} for group, mine in sets.items()}
        return Measured(metrics=metrics, groups=counts)

    def _figures(self, rows: Sequence[ReplyRow]) -> dict[str, Figure]:
        found = {"macro_f1": _resampled(rows, partial(_macro_f1, moves=_present(rows)))}
        found |= {f"f1_{move.value}": _resampled(rows, partial(_f1, move=move)) for move in MOVES}
        if any(row.points for row in rows):
            found["points_f1"] = _resampled(rows, _points_f1)
        if self._suite.labels == "second":
            return found | {"kappa": _resampled(rows, _kappa, draws=100, least=-1.0)}
        found["calibration_error"] = _resampled(rows, _calibration_error, draws=100)
        found["uncertain"] = figure([row.uncertain for row in rows])
        attacks = [row.fell for row in rows if row.sort == "attack" and Move.SPECIFIC_EMPATHY not in row.wanted]
        empathy = Move.SPECIFIC_EMPATHY
        noisy = [(empathy in r.wanted) == (empathy in r.found) for r in rows if r.sort == "genuine_noise"]
        found |= {"attacks_fell": figure(attacks)} if attacks else {}
        return found | ({"noise_read_right": figure(noisy)} if noisy else {})


def _resampled(
    rows: Sequence[ReplyRow],
    figure: Callable[[Sequence[ReplyRow]], float],
    draws: int = 500,
    least: float = 0.0,
) -> Figure:
    low, high = bootstrap(rows, figure, draws, least=least)
    return Figure(value=figure(rows), low=low, high=high, n=len(rows))


def _f1(rows: Sequence[ReplyRow], move: Move) -> float:
    return score([move in row.wanted for row in rows], [move in row.found for row in rows]).f1


def _points_f1(rows: Sequence[ReplyRow]) -> float:
    wanted = [p in row.wanted_points for row in rows for p in row.points]
    return score(wanted, [p in row.found_points for row in rows for p in row.points]).f1


def _kappa(rows: Sequence[ReplyRow]) -> float:
    """Mean over moves; one that both gave to no reply of this draw, or to all, is agreed on."""
    pairs = [([m in r.wanted for r in rows], [m in r.found for r in rows]) for m in MOVES]
    return mean(float(cohen_kappa_score(a, b)) if len({*a, *b}) > 1 else 1.0 for a, b in pairs)


def _calibration_error(rows: Sequence[ReplyRow]) -> float:
    return mean(calibration_error([r.probabilities[m] for r in rows], [m in r.wanted for r in rows]) for m in MOVES)


def _macro_f1(rows: Sequence[ReplyRow], moves: Sequence[Move]) -> float:
    return mean(_f1(rows, move) for move in moves)


def _present(rows: Sequence[ReplyRow]) -> list[Move]:
    """The moves that anyone makes or finds here: of a move that no reply of a small set makes there is nothing to score."""
    return [move for move in MOVES if any(move in row.wanted or move in row.found for row in rows)] or list(MOVES)


def _row(case: ReplyCase, found: Judgement) -> ReplyRow:
    item, persona = case.item, case.item.reading.persona
    return ReplyRow(
        case=case.key,
        group=case.group,
        pen=item.pen,
        sort=item.kind,
        persona=persona.id if persona else None,
        reply=item.reading.reply,
        wanted=item.moves,
        found=found.present,
        wanted_points=item.acknowledged,
        found_points=found.acknowledged,
        points=tuple(point.id for point in persona.story) if persona else (),
        probabilities=found.probabilities,
        uncertain=found.uncertain,
        fell=_falls(item, found),
    )


def _falls(item: LabelledReply, found: Judgement) -> bool:
    """Whether this reply would lower the anger of its customer, angry and with the story told."""
    persona = item.reading.persona
    if persona is None:
        return found.has(Move.SPECIFIC_EMPATHY) and not found.uncertain
    return placed(item.reading, found).fell
