"""Test and retest of the evaluator: the same reply in other words, and in other company in its batch, judged again.

`paraphrases.jsonl` has 60 replies of the set `seen`, each said three more ways that keep every label. A language model
wrote them; the evaluator was never trained on them or on that set.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from random import Random

from eval.judging import JudgedOnce
from eval.metrics import dice
from eval.rows import RetestRow, Retold, Row
from eval.work import Case, Figure, failed, figure
from simulator.anger import State, react
from simulator.judge import Reading
from simulator.moves import Judgement
from simulator.training.data import LabelledReply, replies

PARAPHRASES = Path(__file__).parent / "paraphrases.jsonl"
SEEDS = (1, 2)  # of the order in which everything is judged again


class RetestCase(Case):
    """One labelled reply with its other wordings."""

    item: LabelledReply
    others: tuple[str, ...]

    @property
    def readings(self) -> list[Reading]:
        """The first wording, then the others, in the same place of the same call."""
        said = self.item.reading
        return [said, *(said.model_copy(update={"reply": other}) for other in self.others)]


def retest_cases() -> Iterator[RetestCase]:
    """The replies that have paraphrases."""
    items = {item.id: item for item in replies("seen")}
    for line in PARAPHRASES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield RetestCase(key=f"retest/{row['id']}", item=items[row["id"]], others=tuple(row["paraphrases"]))


def retest(cases: Sequence[RetestCase], judge: JudgedOnce) -> Iterator[Row]:
    """Judge every wording, then all of them again in other orders; a row a case."""
    readings = [reading for case in cases for reading in case.readings]
    first = judge.each(readings)
    chances = [one.probabilities if isinstance(one, Judgement) else {} for one in first]
    drift, turned = [0.0] * len(first), [False] * len(first)
    for seed in SEEDS:
        order = Random(seed).sample(range(len(readings)), len(readings))
        for k, again in zip(order, judge.afresh([readings[k] for k in order]), strict=True):
            if not isinstance(again, Judgement):
                first[k] = again
            elif isinstance(one := first[k], Judgement):
                drift[k] = max([drift[k], *(abs(again.probabilities[move] - c) for move, c in chances[k].items())])
                turned[k] |= set(again.present) != set(one.present)
    start = 0
    for case in cases:
        mine = slice(start, start := start + len(case.readings))
        found = [one for one in first[mine] if isinstance(one, Judgement)]
        if len(found) < len(case.readings):
            yield failed(case, "retest", next(one for one in first[mine] if not isinstance(one, Judgement)))
            continue
        yield RetestRow(
            case=case.key,
            persona=case.item.reading.persona.id if case.item.reading.persona else None,
            wanted=case.item.moves,
            wanted_points=case.item.acknowledged,
            readings=tuple(_retold(reading, one) for reading, one in zip(case.readings, found, strict=True)),
            drift=round(max(drift[mine]), 6),
            turned=sum(turned[mine]),
        )


def _retold(reading: Reading, found: Judgement) -> Retold:
    persona = reading.persona
    if persona is None:
        raise ValueError("every paraphrased reply is said to a persona")
    state = State(anger=9.0, told=tuple(point.id for point in persona.story), replies=1)
    change = react(persona, state, found).reaction.change
    return Retold(text=reading.reply, found=found.present, points=found.acknowledged, change=round(change, 3))


def retest_figures(rows: Iterable[RetestRow]) -> dict[str, Figure]:
    """How alike the wordings of a reply are taken, over all pairs of them; resampled by reply.

    `same_moves`: the same set of moves. `overlap`: Dice's coefficient of the two sets. `same_points`: the same points of
    the story. `same_direction`: anger moves the same way. `distance`: in points of anger. `right_first`, `right_others`:
    Dice's coefficient with what the writer wanted. `turned`: judged otherwise in another order. `drift`: the largest
    change of a probability then.
    """
    values: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for row in rows:

        def note(name: str, value: float, case: str = row.case) -> None:
            values[name].append((value, case))

        for a, b in combinations(row.readings, 2):
            note("same_moves", set(a.found) == set(b.found))
            note("overlap", dice(a.found, b.found))
            note("same_points", set(a.points) == set(b.points))
            note("same_direction", (a.change > 0) - (a.change < 0) == (b.change > 0) - (b.change < 0))
            note("distance", abs(a.change - b.change))
        for k, one in enumerate(row.readings):
            note("right_others" if k else "right_first", dice(one.found, row.wanted))
        note("turned", row.turned / len(row.readings))
        note("drift", row.drift)
    return {f"retest_{n}": figure([v for v, _ in found], [case for _, case in found]) for n, found in values.items()}
