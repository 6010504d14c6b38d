"""A fine line that belongs to another customer: genuine empathy said where it was not meant, and whether it lowers anger.

Each empathic reply of a labelled set, unless it breaks listening itself, is judged again in calls of other customers of that
set, in place of the reply that was written there. Now and then such a line fits by chance, so the share that passes is not to
be expected at nought.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from eval.judging import JudgedOnce
from eval.rows import MisplacedRow, Placed, Row
from eval.work import Case, Figure, failed, figure
from simulator.anger import State, react
from simulator.judge import Reading
from simulator.moves import LISTENING_BREAKS, Judgement, Move
from simulator.training.data import LabelledReply, Split, replies
from simulator.transcript import Role

ELSEWHERE = 2  # other customers to whom a line is said
SEED = 5


class MisplacedCase(Case):
    """One empathic reply where it was meant, then where it was not."""

    group: str
    item: LabelledReply
    readings: tuple[Reading, ...]


def misplaced_cases(split: Split) -> Iterator[MisplacedCase]:
    """The empathic replies of a set, each beside a call of other customers of that set in which something was told.

    Which ones hangs on the reply's id alone, so that a case stays the same when others come or go.
    """
    items = replies(split)
    calls: dict[str, dict[tuple[tuple[Role, str], ...], Reading]] = defaultdict(
        dict
    )  # by customer and by what was said
    for reading in (item.reading for item in items):
        if reading.persona and reading.history:
            calls[reading.persona.id].setdefault(reading.history, reading)
    for item in items:
        fine = Move.SPECIFIC_EMPATHY in item.moves and LISTENING_BREAKS.isdisjoint(item.moves)
        if item.reading.persona and item.kind != "attack" and fine:
            chance = Random(f"{SEED}/{item.id}")
            others = chance.sample([name for name in calls if name != item.reading.persona.id], ELSEWHERE)
            hosts = [chance.choice(list(calls[name].values())) for name in others]
            said = (item.reading, *(host.model_copy(update={"reply": item.reading.reply}) for host in hosts))
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
            case=case.key,
            group=case.group,
            persona=own.persona,
            reply=case.item.reading.reply,
            own=own,
            others=tuple(others),
        )


def placed(reading: Reading, found: Judgement) -> Placed:
    """How the line is taken by this customer, angry and with the story told."""
    persona = reading.persona
    if persona is None:
        raise ValueError("a line is misplaced only between customers who are known")
    state = State(anger=9.0, told=tuple(point.id for point in persona.story), replies=1)
    change = react(persona, state, found).reaction.change
    met = found.has(Move.SPECIFIC_EMPATHY) and not found.uncertain
    return Placed(
        persona=persona.id,
        points=found.acknowledged if met else (),
        uncertain=found.uncertain,
        change=round(change, 3),
        fell=change < 0,
    )


def misplaced_figures(rows: Iterable[MisplacedRow]) -> dict[str, Figure]:
    """By set, resampled by line: the share of these lines that lower the anger of another customer (`fell`) or even meet a
    point of the story (`met`; the others fall a little, as guesses), and the same of their own customer."""
    sets: dict[str, list[MisplacedRow]] = defaultdict(list)
    for row in rows:
        sets[row.group].append(row)
    figures = {}
    for group, mine in sets.items():
        cases = [row.case for row in mine for _ in row.others]
        others = [one for row in mine for one in row.others]
        figures[f"misplaced_fell.{group}"] = figure([one.fell for one in others], cases)
        figures[f"misplaced_met.{group}"] = figure([bool(one.points) for one in others], cases)
        figures[f"own_fell.{group}"] = figure([row.own.fell for row in mine])
        figures[f"own_met.{group}"] = figure([bool(row.own.points) for row in mine])
    return figures
