"""How far two independent labellings of the same replies agree: the ceiling for any evaluator trained on them."""

from collections.abc import Mapping, Sequence
from statistics import mean

from sklearn.metrics import cohen_kappa_score

from eval.metrics import Score, score
from simulator.moves import MOVES, Frozen
from simulator.training.data import LabelledReply, SecondLabels


class Agreement(Frozen):
    """Cohen's kappa and F1 by move, their means, and F1 on acknowledged points; the writer counts as the truth."""

    replies: int
    kappa: dict[str, float]
    moves: dict[str, Score]
    points: Score

    @property
    def macro_kappa(self) -> float:
        """Mean kappa over moves."""
        return mean(self.kappa.values())

    @property
    def macro_f1(self) -> float:
        """Mean F1 over moves."""
        return mean(one.f1 for one in self.moves.values())


def agreement(first: Mapping[str, LabelledReply], second: Sequence[SecondLabels]) -> Agreement:
    """Compare the second labels with the writers' own. Raises ValueError when there is nothing to compare."""
    pairs = [(first[two.id], two) for two in second if two.id in first]
    answers = {m.value: ([m in a.moves for a, _ in pairs], [m in b.moves for _, b in pairs]) for m in MOVES}
    points = [
        (p.id in a.acknowledged, p.id in b.acknowledged)
        for a, b in pairs
        for p in (a.reading.persona.story if a.reading.persona else ())
    ]
    return Agreement(
        replies=len(pairs),
        kappa={move: float(cohen_kappa_score(a, b)) for move, (a, b) in answers.items()},
        moves={move: score(a, b) for move, (a, b) in answers.items()},
        points=score([a for a, _ in points], [b for _, b in points]),
    )
