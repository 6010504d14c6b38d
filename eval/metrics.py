"""Figures over labelled replies, with their counts. An empty list raises: no data is no score."""

from collections import Counter
from collections.abc import Iterable, Sequence

from simulator.moves import Frozen

NOTHING = "nothing"  # was found where a move was missed
Labels = tuple[frozenset[str], frozenset[str]]  # wanted, found


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


def reliability(chances: Sequence[float], happened: Sequence[bool], bins: int = 10) -> list[tuple[float, float, int]]:
    """For each bin of equal width that holds anything: the mean chance said, the share that happened, how many."""
    if not chances or len(chances) != len(happened):
        raise ValueError("calibration needs as many outcomes as chances, and at least one")
    inside: dict[int, list[tuple[float, bool]]] = {}
    for chance, so in zip(chances, happened, strict=True):
        inside.setdefault(min(int(chance * bins), bins - 1), []).append((chance, so))
    return [
        (sum(c for c, _ in found) / len(found), sum(so for _, so in found) / len(found), len(found))
        for _, found in sorted(inside.items())
    ]


def calibration_error(chances: Sequence[float], happened: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini et al., 2015): 0 is perfect."""
    found = reliability(chances, happened, bins)
    return sum(abs(said - was) * n for said, was, n in found) / len(chances)


def f1(pairs: Sequence[Labels], move: str) -> float:
    """F1 of one move over (wanted, found) pairs; 0 where it neither is nor was found."""
    both = sum(move in wanted and move in found for wanted, found in pairs)
    either = sum((move in wanted) + (move in found) for wanted, found in pairs)
    return 2 * both / either if either else 0.0


def confused(pairs: Iterable[Labels]) -> Counter[tuple[str, str]]:
    """Counts by (wanted, found). A move that was missed counts for each move found in its place, or for NOTHING."""
    counts: Counter[tuple[str, str]] = Counter()
    for wanted, found in pairs:
        for move in wanted:
            instead = [move] if move in found else sorted(found - wanted) or [NOTHING]
            counts.update((move, one) for one in instead)
    return counts


def dice(a: Sequence[str], b: Sequence[str]) -> float:
    """Twice the shared over the sum of both, 0 to 1; two empty sets are the same."""
    return 2 * len(set(a) & set(b)) / (len(set(a)) + len(set(b))) if a or b else 1.0
