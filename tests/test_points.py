"""Which story points a reply takes in: the rule of choice, and the real encoder behind it."""

import pytest

from simulator.judge import Reading
from simulator.models.points import pair_tensors, taken
from simulator.moves import Move
from simulator.persona import load_personas


@pytest.mark.parametrize(
    ("chances", "chosen"),
    [
        ([0.9, 0.8, 0.1], [True, True, False]),  # each over the threshold
        ([0.1, 0.3, 0.2], [False, True, False]),  # the likeliest has less to prove
        ([0.1, 0.15, 0.05], [False, False, False]),  # but something
        ([], []),
    ],
)
def test_the_likeliest_point_has_less_to_prove(chances: list[float], chosen: list[bool]) -> None:
    assert taken(chances, threshold=0.6, first=0.2) == chosen


def test_a_pair_is_two_segments() -> None:
    ids, mask, types = pair_tensors([([1, 7, 7, 2], [8, 2]), ([1, 7, 2], [8, 8, 8, 2])])
    assert [row[:7] for row in ids.tolist()] == [[1, 7, 7, 2, 8, 2, 0], [1, 7, 2, 8, 8, 8, 2]]
    assert [row[:7] for row in types.tolist()] == [[0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]]
    assert mask.sum(1).tolist() == [6, 7]


def test_a_point_is_taken_in_by_understanding_and_by_nothing_else(engine) -> None:
    """The same matter as what was understood, as the object of a fix, as a question, and as ammunition."""
    persona = load_personas()["late-shipment"]
    history = (("customer", persona.opening),)
    replies = {
        "You promised your own customers a date on our word, and now you have to tell every one of them you have none.": True,
        "I'll have the forty seal kits on a van tonight.": False,
        "What is your account number, please?": False,
        "Well, the kits are in transit, as the portal told you.": False,
    }
    judged = engine.judge.judge([Reading(persona=persona, history=history, reply=reply) for reply in replies])
    for (reply, takes_in), judgement in zip(replies.items(), judged, strict=True):
        assert bool(judgement.acknowledged) == takes_in, (reply, judgement)
    assert judged[0].has(Move.SPECIFIC_EMPATHY) or judged[0].has(Move.RESTATEMENT)


def test_a_reply_is_read_alike_alone_and_among_others(engine) -> None:
    """What stands beside it in a batch, and how long that is, changes nothing that is decided."""
    persona = load_personas()["late-shipment"]
    reply = "Nobody warned you, and you found out from an empty dock. No wonder you feel let down."
    one = Reading(persona=persona, history=(("customer", persona.opening),), reply=reply)
    others = [one.model_copy(update={"reply": "So. " * n}) for n in (1, 40, 150)]
    alone, among = engine.judge.judge([one])[0], engine.judge.judge([*others, one])[-1]
    assert (alone.present, alone.acknowledged) == (among.present, among.acknowledged)
