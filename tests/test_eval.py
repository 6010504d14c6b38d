"""The figures themselves: right on cases worked by hand, and loud when there is nothing to measure."""

import pytest

from eval.agreement import agreement
from eval.evaluator import evaluate
from eval.metrics import calibration_error, score
from eval.statistics import bootstrap
from simulator.judge import ScriptedJudge
from simulator.moves import MOVES, Judgement, Move
from simulator.training.data import SecondLabels, replies


def test_scores_worked_by_hand() -> None:
    found = score([True, True, False, False], [True, False, True, False])
    assert (found.precision, found.recall, found.f1, found.positives) == (0.5, 0.5, 0.5, 2)
    assert score([True], [False]).f1 == 0
    assert calibration_error([0.75, 0.75, 0.75, 0.75], [True, True, True, False]) == 0
    assert calibration_error([1.0, 1.0], [True, False]) == 0.5
    low, high = bootstrap([0, 1] * 50, lambda items: sum(items) / len(items))
    assert 0.35 < low < 0.5 < high < 0.65


@pytest.mark.parametrize(
    "figure", [lambda: score([], []), lambda: calibration_error([], []), lambda: bootstrap([], len)]
)
def test_nothing_is_no_score(figure) -> None:
    with pytest.raises(ValueError, match="at least one"):
        figure()


def test_a_judge_that_says_what_the_writers_said_is_perfect_and_one_that_says_nothing_is_not() -> None:
    items = replies("test")[:60]
    perfect = ScriptedJudge(
        [
            Judgement(
                present=i.moves, acknowledged=i.acknowledged, probabilities={m: float(m in i.moves) for m in MOVES}
            )
            for i in items
        ]
    )
    report = evaluate(perfect, items)
    there = [score for score in report.moves.values() if score.positives]
    assert all(score.f1 == 1 for score in there)
    assert report.points.f1 == 1
    assert report.calibration_error == 0
    silent = evaluate(ScriptedJudge([Judgement(probabilities=dict.fromkeys(MOVES, 0.0))]), items)
    assert silent.macro_f1 == 0
    assert not silent.attacks_that_lower_anger


def test_an_evaluator_that_is_fooled_is_found_out() -> None:
    attacks = [item for item in replies("test") if item.kind == "attack" and Move.SPECIFIC_EMPATHY not in item.moves]
    fooled = [
        Judgement(
            present=(Move.SPECIFIC_EMPATHY,),
            acknowledged=tuple(point.id for point in item.reading.persona.story),
            probabilities=dict.fromkeys(MOVES, 0.5),
        )
        for item in attacks
    ]
    assert len(evaluate(ScriptedJudge(fooled), attacks).attacks_that_lower_anger) == len(attacks)


def test_agreement_with_oneself_is_one() -> None:
    items = {item.id: item for item in replies("test")}
    same = [SecondLabels(id=i.id, moves=i.moves, acknowledged=i.acknowledged) for i in items.values()]
    assert agreement(items, same).macro_kappa == 1
