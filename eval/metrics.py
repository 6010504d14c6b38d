"""Figures over labelled replies, with their counts. An empty list raises: no data is no score."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from simulator.moves import Frozen

Item = TypeVar("Item")


class Score(Frozen):
    """Precision, recall and F1 of one label, and how many positives stand behind them."""

    precision: float
    recall: float
    f1: float
    positives: int


def score(wanted: Sequence[bool], found: Sequence[bool]) -> Score:
    """Scores of one label over paired booleans. Raises ValueError on empty or uneven input."""
    if not wanted or len(wanted) != len(found):
        raise ValueError("score needs as many answers as questions, and at least one")
    hits = sum(w and f for w, f in zip(wanted, found, strict=True))
    precision = hits / sum(found) if any(found) else 0.0
    recall = hits / sum(wanted) if any(wanted) else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return Score(precision=precision, recall=recall, f1=f1, positives=sum(wanted))


def calibration_error(chances: Sequence[float], happened: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini et al., 2015): 0 is perfect."""
    if not chances or len(chances) != len(happened):
        raise ValueError("calibration needs as many outcomes as chances, and at least one")
    error = 0.0
    for k in range(bins):
        inside = [i for i, chance in enumerate(chances) if min(int(chance * bins), bins - 1) == k]
        if inside:
            said = sum(chances[i] for i in inside) / len(inside)
            was = sum(happened[i] for i in inside) / len(inside)
            error += abs(said - was) * len(inside) / len(chances)
    return error


def bootstrap(
    items: Sequence[Item], figure: Callable[[Sequence[Item]], float], draws: int = 500, seed: int = 0
) -> tuple[float, float]:
    """The middle 95 % of `figure` over resampled `items`: how much of it is the luck of the draw."""
    if not items:
        raise ValueError("bootstrap needs at least one item")
    chance = random.Random(seed)
    values = sorted(figure(chance.choices(items, k=len(items))) for _ in range(draws))
    return values[int(0.025 * draws)], values[int(0.975 * draws) - 1]
