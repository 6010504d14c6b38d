"""Trains the part of the evaluator that hears story points; the second half of `python -m simulator.training.evaluator`.

A cross-encoder (models/points.py), all of its blocks tuned, on replies that show understanding, beside the story of their
customer or of another one, on attacks, and on some other replies. Thresholds come from the validation split.
"""

import logging
import random
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.models.encoding import Encoding, padded, point_text, told
from simulator.models.points import ATTENTION, TAKE_IN, TOGETHER, Beside, PointReader, story_tensors, taken
from simulator.moves import Move
from simulator.persona import Persona, StoryPoint
from simulator.training.data import LabelledReply, replies
from simulator.training.examples import Example, by_scene, varied
from simulator.training.loop import fit, hidden, save_settings, save_weights, start

log = logging.getLogger(__name__)

EPOCHS, RATE = 2, 1.5e-4
BATCH = 16
OTHERS, ATTACKS = 0.1, 0.3  # shares of the other replies, and of attacks, in an epoch
MISPLACED = 0.3  # share of the rows that stand beside another customer's story, of which they take in nothing
ALIKE = 8  # in half of them that customer is one of so many whose stories are most like it
UNSAID = 0.1  # share of the rows that are read without what was told, so that the reply itself counts
CHOICE = 0.5  # weight of choosing among the points of a customer, against judging each by itself
MEANT = 0.5  # weight of telling one's own customer from another
DOUBTED = 0.03  # share of genuine empathy that may be doubted because it seems to mean another customer
SEED = 21


class Row:
    """A reply beside story points: tokens with their marks, which of the points it takes in, and whether it means this
    customer; None where that is not learnt: of attacks, and of replies without specific empathy."""

    def __init__(
        self,
        one: Example,
        said: str,
        points: Sequence[StoryPoint],
        taken: Collection[str] = (),
        *,
        meant: bool | None = None,
    ) -> None:
        self.tokenizer = one.encoding.tokenizer
        self.tokens = one.encoding.beside(one.encoded, said, points)
        self.taken = [float(point.id in taken) for point in points]
        self.meant = meant


def story(item: LabelledReply) -> tuple[StoryPoint, ...]:
    """The story of the reply's customer."""
    return item.reading.persona.story if item.reading.persona else ()


def rows(examples: Sequence[Example], alike: Mapping[str, Sequence[str]]) -> list[Row]:
    """An epoch: replies that show understanding, some attacks and others, each beside a customer's points in any order.

    `alike` names to each customer those whose stories are most like theirs.
    """
    drawn, of = [], by_customer(examples)
    for one in (one for one in examples if story(one.item)):
        attack, understands = one.item.kind == "attack", not TAKE_IN.isdisjoint(one.item.moves)
        if random.random() < (ATTACKS if attack else 1.0 if understands else OTHERS):
            host = one
            if random.random() < MISPLACED:
                near = [name for name in alike[customer(one)] if name in of]
                host = random.choice(of[random.choice(near)] if near and random.random() < 0.5 else examples)
            mine = customer(host) == customer(one)
            said = "" if random.random() < UNSAID else told(host.item.reading)
            points = story(host.item)
            worded = [_worded(point) for point in random.sample(points, min(len(points), TOGETHER))]
            telling = Move.SPECIFIC_EMPATHY in one.item.moves and not attack
            drawn.append(Row(one, said, worded, one.item.acknowledged if mine else (), meant=mine if telling else None))
    return drawn


def customer(one: Example) -> str:
    """The id of the customer to whom the reply is said; "" when unknown."""
    return one.item.reading.persona.id if one.item.reading.persona else ""


def by_customer(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """The replies said to each customer."""
    of: dict[str, list[Example]] = {}
    for one in examples:
        of.setdefault(customer(one), []).append(one)
    return of


def likest(personas: Sequence[Persona], encoding: Encoding, encoder: nn.Module) -> dict[str, list[str]]:
    """To each customer the ALIKE others whose stories are most like theirs, by the base encoder's sentence vectors."""
    tokens = [
        encoding.tokenizer(" ".join(map(point_text, one.story)), truncation=True, max_length=256) for one in personas
    ]
    with torch.inference_mode():
        vectors = []
        for one in tokens:
            ids, mask = padded([one.input_ids])
            states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            vectors.append(nn.functional.normalize(states[0, : len(one.input_ids)].mean(0), dim=0))
        near = torch.stack(vectors) @ torch.stack(vectors).T
        order = near.fill_diagonal_(-1.0).argsort(descending=True)[:, :ALIKE].tolist()
    return {one.id: [personas[k].id for k in others] for one, others in zip(personas, order, strict=True)}


def _worded(point: StoryPoint) -> StoryPoint:
    """The point in any one of its wordings."""
    return point.model_copy(update={"says": (random.choice(point.says),)})


def batches(drawn: list[Row]) -> list[list[Row]]:
    """Random batches of rows of like length."""
    drawn = sorted(drawn, key=lambda row: len(row.tokens[0]) + random.uniform(-15, 15))
    cut = [drawn[i : i + BATCH] for i in range(0, len(drawn), BATCH)]
    return random.sample(cut, len(cut))


def loss(reader: PointReader, batch: list[Row]) -> Tensor:
    """Each point judged by itself; where a reply takes in a point, that point chosen among its customer's; and whether
    the reply means this customer."""
    beside = logits(reader, batch)
    found = _own(beside, batch)
    wanted = [torch.tensor(row.taken) for row in batch]
    total = bce(torch.cat(found), torch.cat(wanted))
    choices = [
        mine.logsumexp(0) - mine[yes > 0].logsumexp(0)
        for mine, yes in zip(found, wanted, strict=True)
        if yes.any() and not yes.all()
    ]
    if choices:
        total = total + CHOICE * torch.stack(choices).mean()
    known = torch.tensor([row.meant is not None for row in batch])
    if known.any():
        total = total + MEANT * bce(
            beside.meant[known], torch.tensor([float(row.meant or False) for row in batch])[known]
        )
    return total


def logits(reader: PointReader, batch: Sequence[Row]) -> Beside:
    """Logits of a batch; in training, with some words hidden."""
    ids, marks = story_tensors([row.tokens for row in batch])
    if reader.training:
        ids = hidden(ids, batch[0].tokenizer)
    found = reader(ids, marks)
    return Beside(found.points.float(), found.meant.float())


def _own(found: Beside, batch: Sequence[Row]) -> list[Tensor]:
    """Logits of each row's own points, (points,) each."""
    return [mine[: len(row.taken)] for mine, row in zip(found.points, batch, strict=True)]


class Chances(NamedTuple):
    """Of one reply: the chance that it takes in each point of its customer, (points,), and that it means that customer."""

    points: np.ndarray
    meant: float


def predict(reader: PointReader, found: Sequence[Row]) -> list[Chances]:
    """The chances of every row; like lengths are read together."""
    order = sorted(range(len(found)), key=lambda i: len(found[i].tokens[0]))
    chances: dict[int, Chances] = {}
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start_at in range(0, len(order), BATCH):
            chosen = order[start_at : start_at + BATCH]
            batch = [found[i] for i in chosen]
            beside = logits(reader, batch)
            for i, mine, meant in zip(chosen, _own(beside, batch), beside.meant.sigmoid().tolist(), strict=True):
                chances[i] = Chances(mine.sigmoid().numpy(), meant)
    return [chances[i] for i in range(len(found))]


def train(out: Path, epochs: int) -> list[Chances]:
    """Train and save the weights into `out`. Returns the chances of each validation reply."""
    encoding, encoder, width = start(SEED, ATTENTION)
    reader = PointReader(encoder, width)
    items = replies("train")
    examples, scenes = [Example(item, encoding) for item in items], by_scene(items)
    personas = {one.reading.persona.id: one.reading.persona for one in items if one.reading.persona}
    alike = likest(list(personas.values()), encoding, encoder)
    fit(
        reader,
        lambda: batches(rows([varied(one, scenes, encoding) for one in examples], alike)),
        lambda batch: loss(reader, batch),
        epochs=epochs,
        rate=RATE,
    )
    save_weights(out, "points", reader)
    held_out = [Example(item, encoding) for item in replies("validation")]
    return predict(reader, [Row(one, told(one.item.reading), story(one.item)) for one in held_out])


def settle(out: Path, chances: Sequence[Chances], understood: Sequence[bool]) -> None:
    """Set the thresholds on the validation split, and save them into `out`.

    `understood` says of each of its replies whether the trained moves give it one that can take in a point.
    """
    save_settings(out, "points", settings_of(chances, replies("validation"), understood))


def settings_of(
    chances: Sequence[Chances], items: Sequence[LabelledReply], understood: Sequence[bool]
) -> dict[str, float]:
    """The two thresholds with the highest F1 over all points, where only replies that were `understood` can take in a point;
    and the chance to mean this customer that nearly all genuine empathy exceeds: what lies under it may mean another."""
    wanted = [[point.id in one.acknowledged for point in story(one)] for one in items]
    best: tuple[float, float, float] = (0.0, 0.5, 0.5)
    for threshold in np.arange(0.1, 0.96, 0.02):
        for first in np.arange(0.02, threshold + 0.01, 0.04):
            said = right = 0
            for mine, mean, seen in zip(chances, wanted, understood, strict=True):
                if seen:
                    yes = taken(mine.points.tolist(), threshold, first)
                    said += sum(yes)
                    right += sum(a and b for a, b in zip(mean, yes, strict=True))
            best = max(best, (2 * right / max(said + sum(map(sum, wanted)), 1), float(threshold), float(first)))
    log.info("validation F1 of points %.3f", best[0])
    genuine = [
        mine.meant
        for mine, one in zip(chances, items, strict=True)
        if one.kind != "attack" and Move.SPECIFIC_EMPATHY in one.moves
    ]
    doubted = float(np.quantile(genuine, DOUBTED))
    return {"threshold": round(best[1], 3), "first": round(best[2], 3), "meant_over": round(doubted, 3)}
