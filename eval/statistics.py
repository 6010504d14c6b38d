"""How much of a figure is the luck of the draw: bootstrap intervals and paired comparisons.

Cases of one group (a persona, a conversation) are alike, so whole groups are drawn, never single cases of them.
"""

import random
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
Numbers = NDArray[np.float64]
MIDDLE = (2.5, 97.5)  # percentiles that bound the middle 95 %


class Interval(NamedTuple):
    """A mean and the bootstrap's middle 95 % of it (percentile method; Efron and Tibshirani, 1993); of a share of none or of
    all, where every draw is alike, its exact bounds (Clopper and Pearson, 1934)."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """The mean of b minus a over `cases` pairs, its interval, and how often chance alone would do as much (two-sided
    sign-flip permutation test over `groups`)."""

    difference: Interval
    p: float
    cases: int
    groups: int


def interval(
    values: Sequence[float], groups: Sequence[Hashable] | None = None, draws: int = 2000, seed: int = 0
) -> Interval:
    """The mean of `values` with its interval; `groups` names the group of each. Booleans make a share.

    Raises ValueError when empty or uneven.
    """
    sums, counts = _by_group(values, groups)
    mean = float(sums.sum() / counts.sum())
    if mean in (0, 1) and all(isinstance(value, bool) for value in values):
        beyond = 1 - 0.025 ** (1 / len(sums))
        return Interval(mean, 0.0 if mean == 0 else 1 - beyond, beyond if mean == 0 else 1.0)
    chance = np.random.default_rng(seed)
    means = np.empty(draws)
    for k in range(draws):  # one draw at a time: memory stays flat however many groups there are
        drawn = chance.integers(len(sums), size=len(sums))
        means[k] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.percentile(means, MIDDLE)
    return Interval(mean, float(low), float(high))


def bootstrap(
    items: Sequence[Item],
    figure: Callable[[Sequence[Item]], float],
    draws: int = 500,
    seed: int = 0,
    *,
    least: float = 0.0,
) -> tuple[float, float]:
    """The middle 95 % of any `figure` between `least` and 1 over resampled `items`. Raises ValueError when there are none.

    Drawing with repetition alone moves some figures (it raises a calibration error, and loses the rarest classes of a macro
    mean): what it adds on average is taken off again.
    """
    if not items:
        raise ValueError("bootstrap needs at least one item")
    chance = random.Random(seed)
    values = [figure(chance.choices(items, k=len(items))) for _ in range(draws)]
    seen = figure(items)
    low, high = np.clip(np.percentile(values, MIDDLE) - (np.mean(values) - seen), least, 1.0)
    return min(float(low), seen), max(float(high), seen)  # a rounding of draws that are all alike is no doubt


def paired(
    a: Sequence[float], b: Sequence[float], groups: Sequence[Hashable], draws: int = 10_000, seed: int = 0
) -> Difference:
    """What changed from `a` to `b`, case by case. Raises ValueError when empty or uneven."""
    if len(a) != len(b):
        raise ValueError("a paired comparison needs as many values on both sides")
    change = [after - before for before, after in zip(a, b, strict=True)]
    sums, _ = _by_group(change, groups)
    chance = np.random.default_rng(seed)
    seen = abs(sums.sum())
    as_much = sum(abs(sums @ chance.choice((-1.0, 1.0), size=len(sums))) >= seen - 1e-12 for _ in range(draws))
    p = (1 + int(as_much)) / (1 + draws)
    return Difference(interval(change, groups, seed=seed), p, len(change), len(sums))


def holm(ps: Sequence[float]) -> list[float]:
    """The p values corrected for being several (Holm, 1979), in the order given."""
    corrected, worst = [1.0] * len(ps), 0.0
    for rank, k in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        worst = max(worst, min(1.0, ps[k] * (len(ps) - rank)))
        corrected[k] = worst
    return corrected


def _by_group(values: Sequence[float], groups: Sequence[Hashable] | None) -> tuple[Numbers, Numbers]:
    """Sum and number of the values of each group."""
    if not values or (groups is not None and len(groups) != len(values)):
        raise ValueError("an interval needs at least one value, and a group for each")
    if groups is None:
        return np.asarray(values, dtype=np.float64), np.ones(len(values))
    place = {group: k for k, group in enumerate(dict.fromkeys(groups))}
    at = [place[group] for group in groups]
    sums = np.bincount(at, weights=values).astype(np.float64)
    return sums, np.bincount(at).astype(np.float64)
