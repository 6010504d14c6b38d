"""Which story points a reply takes in: the rule of choice, and the real encoder behind it."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from simulator.judge import Reading
from simulator.models.encoding import FIRST_POINT, PADDING, REPLY, rounded, told
from simulator.models.points import ATTENTION, Beside, Heard, Hearing, Taken, story_tensors, taken, together
from simulator.moves import Move
from simulator.persona import load_personas
from simulator.training import points
from simulator.training.data import replies
from simulator.training.examples import Example


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


def test_a_point_is_read_by_its_own_tokens(engine) -> None:
    """Each token of a reading belongs to the reply, to what was told, or to one point; none is left out."""
    persona = load_personas()["late-shipment"]
    encoding = engine.judge._encoding
    one = encoding(Reading(persona=persona, reply="Nobody warned you."))
    ids, marks = encoding.beside(one, "You people!", persona.story[:2])
    words = ["".join(encoding.tokenizer.convert_ids_to_tokens([i for i, m in zip(ids, marks, strict=True) if m == part]))
             for part in range(REPLY, FIRST_POINT + 2)]  # fmt: skip
    assert words[:2] == ["[CLS]nobodywarnedyou.[SEP]", "youpeople![SEP]"]
    assert len(words) == 4
    assert all(text.endswith("[SEP]") for text in words)
    assert words[2] != words[3]
    assert marks == sorted(marks)
    assert len(ids) == len(marks)


def test_any_story_fits_the_encoder(engine) -> None:
    """Twelve points, the most that a persona may have, and a reply as long as it may be."""
    persona = load_personas()["late-shipment"]
    story = tuple(persona.story[0].model_copy(update={"id": f"p{i}", "fact": "a word " * 60}) for i in range(12))
    groups = together(story)
    assert [point for group in groups for point in group] == list(story)
    encoding = engine.judge._encoding
    one = encoding(Reading(persona=persona, reply="so " * 500))
    assert all(len(encoding.beside(one, "no " * 500, group)[0]) <= 512 for group in groups)


def test_what_was_told_is_read_from_its_end(engine) -> None:
    persona = load_personas()["late-shipment"]
    history = (("customer", "No kits."), ("trainee", "Which ones?"), ("customer", "The seal kits,\nforty of them."))
    reading = Reading(persona=persona, history=history, reply="I see.")
    assert told(reading) == f"The seal kits, forty of them. No kits. {persona.headline}"
    assert told(Reading(reply="Hello.")) == ""


def test_points_beside_each_other_in_a_batch_keep_apart() -> None:
    """Readings of different lengths and numbers of points: marks are padded with nothing, and rows come in few numbers."""
    ids, marks = story_tensors(rounded([([1, 7, 2, 2, 8, 2], [1, 1, 1, 2, 3, 3]), ([1, 2, 2], [1, 1, 2]), ([1], [1])]))
    assert ids.shape == marks.shape == (4, 16)
    assert marks[1].tolist() == [1, 1, 2] + [PADDING] * 13
    assert marks[3].tolist() == marks[2].tolist()


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


class Says(nn.Module):
    """In place of the encoder: every point is as likely as `points`, (readings, 6), this customer as `meant`; logits."""

    def __init__(self, points: float, meant: float) -> None:
        super().__init__()
        self.points, self.meant = points, meant

    def forward(self, ids: torch.Tensor, marks: torch.Tensor) -> Beside:
        return Beside(torch.full((len(ids), 6), self.points), torch.full((len(ids),), self.meant))


CUTS = {"threshold": 0.6, "first": 0.3, "meant_over": 0.1}


def test_understanding_that_means_another_customer_is_strange(engine) -> None:
    """And a reply that shows no understanding was not held against the story, so there is nothing strange about it."""
    story = load_personas()["late-shipment"].story
    encoding = engine.judge._encoding
    one = encoding(Reading(persona=None, reply="It broke your heart that the lift stood still."))
    heard = [Heard(one, "", story, {Move.SPECIFIC_EMPATHY}), Heard(one, "", story, {Move.SOLUTION})]
    assert Hearing(Says(-5.0, -5.0), encoding, CUTS).taken_in(heard) == [Taken((), True), Taken((), False)]
    assert Hearing(Says(-5.0, 0.0), encoding, CUTS).taken_in(heard)[0] == Taken((), False)
    assert Hearing(Says(5.0, 5.0), encoding, CUTS).taken_in(heard)[0] == Taken(tuple(p.id for p in story), False)


def test_such_empathy_is_uncertain(engine, monkeypatch: pytest.MonkeyPatch) -> None:
    persona = load_personas()["late-shipment"]
    reply = "Nobody warned you, and you found out from an empty dock. No wonder you feel let down."
    reading = Reading(persona=persona, history=(("customer", persona.opening),), reply=reply)
    sure = engine.judge.judge([reading])[0]
    assert sure.has(Move.SPECIFIC_EMPATHY)
    assert not sure.uncertain
    monkeypatch.setattr(engine.judge, "_points", Hearing(Says(5.0, -5.0), engine.judge._encoding, CUTS))
    assert engine.judge.judge([reading])[0].uncertain


def test_beside_another_customers_story_nothing_is_taken_in(engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reply that shows understanding, among others to somebody else, that stand in no row of their own."""
    monkeypatch.setattr(points, "MISPLACED", 1.0)
    monkeypatch.setattr(points, "OTHERS", 0.0)
    random.seed(1)
    items = replies("validation")
    mine = next(
        one for one in items if one.acknowledged and Move.SPECIFIC_EMPATHY in one.moves and one.kind != "attack"
    )
    others = [
        one
        for one in items
        if one.reading.persona != mine.reading.persona and one.kind != "attack" and points.TAKE_IN.isdisjoint(one.moves)
    ][:3]
    examples = [Example(one, engine.judge._encoding) for one in (mine, *others)]
    near = [one.reading.persona.id for one in others]
    alike = {one.reading.persona.id: near for one in (mine, *others)}
    drawn = [row for _ in range(20) for row in points.rows(examples, alike)]
    assert len(drawn) == 20
    assert {(sum(row.taken), row.meant) for row in drawn} == {(0.0, False), (float(len(mine.acknowledged)), True)}


def test_of_what_fits_anyone_nobody_says_whom_it_means(engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "OTHERS", 1.0)
    monkeypatch.setattr(points, "ATTACKS", 1.0)
    items = [one for one in replies("validation") if one.reading.persona][:200]
    examples = [Example(one, engine.judge._encoding) for one in items]
    drawn = points.rows(examples, {points.customer(one): [] for one in examples})
    telling = [one.kind != "attack" and Move.SPECIFIC_EMPATHY in one.moves for one in items]
    assert [row.meant is not None for row in drawn] == telling


def test_stories_are_like_other_stories() -> None:
    personas = list(load_personas().values())
    encoding, encoder, _ = points.start(1, ATTENTION)
    alike = points.likest(personas, encoding, encoder)
    assert set(alike) == {one.id for one in personas}
    assert all(name not in near and len(set(near)) == points.ALIKE for name, near in alike.items())


def test_thresholds_part_what_is_taken_in_from_what_is_not() -> None:
    items = replies("validation")
    chances = [
        points.Chances(
            np.array([0.8 - 0.01 * k if p.id in one.acknowledged else 0.2 for k, p in enumerate(points.story(one))]),
            0.9 if i % 50 else 0.4,
        )
        for i, one in enumerate(items)
    ]
    cuts = points.settings_of(chances, items, [bool(one.acknowledged) for one in items])
    assert 0.2 < cuts["threshold"] <= 0.8
    assert 0.4 < cuts["meant_over"] <= 0.9  # two in a hundred are doubted, and three may be
