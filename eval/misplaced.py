"""A fine line that belongs to another customer: genuine empathy said where it was not meant, and whether it lowers anger.

Each empathic reply of a labelled set is judged again in calls of other customers of that set, in place of the reply that was
written there. Now and then such a line fits by chance, so the share that passes is not to be expected at nought.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from eval.judging import JudgedOnce
from eval.rows import MisplacedRow, Placed, Row
from eval.work import Case, Figure, failed, figure
from simulator.anger import State, react
from simulator.judge import Reading
from simulator.moves import Judgement, Move
from simulator.training.data import LabelledReply, Split, replies

ELSEWHERE = 2  # calls of other customers in which a line is said
SEED = 5


class MisplacedCase(Case):
    """One empathic reply where it was meant, then where it was not."""

    group: str
    item: LabelledReply
    readings: tuple[Reading, ...]


def misplaced_cases(split: Split) -> Iterator[MisplacedCase]:
    """The empathic replies of a set, each beside calls of other customers of that set in which something was told."""
    items = [item for item in replies(split) if item.reading.persona]
    calls = list(
        dict.fromkeys(item.reading.model_copy(update={"reply": "-"}) for item in items if item.reading.history)
    )
    chance = Random(SEED)
    for item in items:
        if item.kind != "attack" and Move.SPECIFIC_EMPATHY in item.moves:
            others = [call for call in calls if call.persona != item.reading.persona]
            drawn = chance.sample(others, ELSEWHERE)
            said = (item.reading, *(call.model_copy(update={"reply": item.reading.reply}) for call in drawn))
            yield MisplacedCase(key=f"misplaced/{item.id}", group=split, item=item, readings=said)


def misplaced(cases: Sequence[MisplacedCase], judge: JudgedOnce) -> Iterator[Row]:
    """Judge every line in every place; a row a case."""
    found = iter(judge.each([reading for case in cases for reading in case.readings]))
    for case in cases:
        mine = [next(found) for _ in case.readings]
        if trouble := next((one for one in mine if not isinstance(one, Judgement)), None):
            yield failed(case, "misplaced", trouble)
            continue
        own, *others = (
            placed(reading, one) for reading, one in zip(case.readings, mine, strict=True) if isinstance(one, Judgement)
        )
        yield MisplacedRow(
            case=case.key, group=case.group, reply=case.item.reading.reply, own=own, others=tuple(others)
        )


def placed(reading: Reading, found: Judgement) -> Placed:
    """How the line is taken by this customer, angry and with the story told."""
    persona = reading.persona
    if persona is None:
        raise ValueError("a line is misplaced only between customers who are known")
    state = State(anger=9.0, told=tuple(point.id for point in persona.story), replies=1)
    change = react(persona, state, found).reaction.change
    return Placed(
        persona=persona.id,
        points=found.acknowledged,
        uncertain=found.uncertain,
        change=round(change, 3),
        fell=change < 0,
    )


def misplaced_figures(rows: Iterable[MisplacedRow]) -> dict[str, Figure]:
    """By set: the share of these lines that lower the anger of another customer, and of their own; resampled by line."""
    sets: dict[str, list[MisplacedRow]] = defaultdict(list)
    for row in rows:
        sets[row.group].append(row)
    figures = {}
    for group, mine in sets.items():
        pairs = [(one.fell, row.case) for row in mine for one in row.others]
        figures[f"misplaced_fell.{group}"] = figure([fell for fell, _ in pairs], [case for _, case in pairs])
        figures[f"own_fell.{group}"] = figure([row.own.fell for row in mine])
    return figures
