"""The figures themselves: right on cases worked by hand, and loud when there is nothing to measure."""

import random
from collections.abc import Sequence

import pytest

from eval.metrics import NOTHING, calibration_error, confused, dice, f1, reliability, score
from eval.statistics import bootstrap, holm, interval, paired


def test_scores_worked_by_hand() -> None:
    found = score([True, True, False, False], [True, False, True, False])
    assert (found.precision, found.recall, found.f1, found.positives) == (0.5, 0.5, 0.5, 2)
    assert score([True], [False]).f1 == 0
    assert calibration_error([0.75, 0.75, 0.75, 0.75], [True, True, True, False]) == 0
    assert calibration_error([1.0, 1.0], [True, False]) == 0.5
    assert reliability([0.05, 0.95, 0.97, 1.0], [False, True, True, False]) == [
        (0.05, 0, 1),
        (pytest.approx(0.9733, abs=1e-3), pytest.approx(2 / 3), 3),
    ]
    assert interval([False] * 100) == (0, 0, pytest.approx(0.0362, abs=1e-4)), "none of a hundred is not never"
    assert interval([True] * 10 + [True] * 10, [*range(10), *range(10)]).low == pytest.approx(0.6915, abs=1e-4)
    low, high = bootstrap([0, 1] * 50, lambda items: sum(items) / len(items))
    assert 0.35 < low < 0.5 < high < 0.65
    assert (dice(["a", "b"], ["b"]), dice([], []), dice(["a"], [])) == (pytest.approx(2 / 3), 1, 0)


def test_a_calibration_error_lies_within_its_interval() -> None:
    """Drawing with repetition makes it larger, so the plain percentiles lie beside it."""
    chances = [k / 40 for k in range(40)]
    pairs = [(chance, k % 2 == 0) for k, chance in enumerate(chances)]

    def error(drawn: Sequence[tuple[float, bool]]) -> float:
        return calibration_error([c for c, _ in drawn], [h for _, h in drawn], bins=40)

    low, high = bootstrap(pairs, error)
    assert low < error(pairs) < high
    drawn_anew = [len({*random.Random(seed).choices(range(40), k=40)}) / 40 for seed in range(50)]
    assert max(drawn_anew) < 0.8, "a share of different ones, 1 by itself, is never near it when drawn with repetition"
    assert bootstrap(range(40), lambda drawn: len(set(drawn)) / 40)[1] == 1


def test_what_was_found_in_place_of_what() -> None:
    pairs = [(frozenset("ab"), frozenset("a")), (frozenset("a"), frozenset("c")), (frozenset("a"), frozenset("a"))]
    assert confused(pairs) == {("a", "a"): 2, ("b", NOTHING): 1, ("a", "c"): 1}
    assert f1(pairs, "a") == pytest.approx(0.8)


@pytest.mark.parametrize(
    "figure",
    [
        lambda: score([], []),
        lambda: calibration_error([], []),
        lambda: bootstrap([], len),
        lambda: interval([]),
        lambda: interval([1.0], ["a", "b"]),
    ],
)
def test_nothing_is_no_score(figure) -> None:
    with pytest.raises(ValueError, match="at least one"):
        figure()


def test_cases_of_one_group_count_as_one_draw() -> None:
    values = [0.0, 1.0] * 50
    alone = interval(values)
    # The same values in two groups that differ wholly: everything hangs on which group is drawn.
    grouped = interval(values, [k % 2 for k in range(100)])
    assert alone.mean == grouped.mean == 0.5
    assert alone.high - alone.low < 0.25
    assert (grouped.low, grouped.high) == (0, 1)


def test_a_change_is_told_from_chance() -> None:
    groups = list(range(40))
    level = [k % 5 for k in groups]
    shifted = paired(level, [one + 1 + 0.1 * (k % 3) for k, one in enumerate(level)], groups)
    assert shifted.p < 0.001
    assert 1 <= shifted.difference.low <= shifted.difference.mean <= shifted.difference.high <= 1.2
    noise = paired(level, [one + (1 if k % 2 else -1) for k, one in enumerate(level)], groups)
    assert noise.p > 0.5
    assert holm([0.01, 0.04, 0.03]) == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06)]


def test_a_share_of_all_has_exact_bounds_and_no_other_figure_has() -> None:
    assert 0.6 < interval([True] * 8).low < 0.7
    assert interval([False] * 8).low == 0 < interval([False] * 8).high
    assert interval([1.0] * 8) == (1, 1, 1)
    same = paired([50.0] * 8, [50.0] * 8, range(8))
    assert same.difference == (0, 0, 0), "two runs alike differ by nothing, to either side"
