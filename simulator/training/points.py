"""Trains the part of the evaluator that hears story points; the second half of `python -m simulator.training.evaluator`.

A cross-encoder (models/points.py), all of its blocks tuned, on every reply that shows understanding and every attack beside
the story of its customer, now and then of another one, and on some other replies. Thresholds come from the validation split.
"""

import logging
import random
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.models.encoding import answered
from simulator.models.points import ATTENTION, TAKE_IN, PointReader, story_tensors, taken
from simulator.moves import Move
from simulator.persona import StoryPoint
from simulator.training.data import LabelledReply, replies
from simulator.training.examples import Example, by_scene, varied
from simulator.training.loop import fit, hidden, save_settings, save_weights, start

log = logging.getLogger(__name__)

EPOCHS, RATE = 3, 1.5e-4
BATCH = 16
OTHERS = 0.15  # share of the other replies in an epoch; of attacks, all
MISPLACED = 0.1  # share of the rows that stand beside another customer's story, of which they take in nothing
UNSAID = 0.1  # share of the rows that are read without the line that they answer, so that the reply itself counts
CHOICE = 0.5  # weight of choosing among the points of a customer, against judging each by itself
DOUBTED = 0.02  # share of genuine empathy that may be doubted because it seems to mean nothing of this story
SEED = 21


class Row:
    """A reply beside story points: tokens with their marks, and which of the points it takes in."""

    def __init__(self, one: Example, said: str, points: Sequence[StoryPoint], taken: Collection[str]) -> None:
        self.tokenizer = one.encoding.tokenizer
        self.tokens = one.encoding.beside(one.encoded, said, points)
        self.taken = [float(point.id in taken) for point in points]


def story(item: LabelledReply) -> tuple[StoryPoint, ...]:
    """The story of the reply's customer."""
    return item.reading.persona.story if item.reading.persona else ()


def rows(examples: Sequence[Example]) -> list[Row]:
    """An epoch: replies that show understanding, attacks, and some others, each beside its customer's points in any order."""
    drawn = []
    for one in (one for one in examples if story(one.item)):
        telling = one.item.kind == "attack" or not TAKE_IN.isdisjoint(one.item.moves)
        if telling or random.random() < OTHERS:
            host = random.choice(examples) if random.random() < MISPLACED else one
            taken = one.item.acknowledged if host.item.reading.persona == one.item.reading.persona else ()
            said = "" if random.random() < UNSAID else answered(host.item.reading)
            drawn.append(
                Row(one, said, [_worded(p) for p in random.sample(story(host.item), len(story(host.item)))], taken)
            )
    return drawn


def _worded(point: StoryPoint) -> StoryPoint:
    """The point in any one of its wordings."""
    return point.model_copy(update={"says": (random.choice(point.says),)})


def batches(drawn: list[Row]) -> list[list[Row]]:
    """Random batches of rows of like length."""
    drawn = sorted(drawn, key=lambda row: len(row.tokens[0]) + random.uniform(-15, 15))
    cut = [drawn[i : i + BATCH] for i in range(0, len(drawn), BATCH)]
    return random.sample(cut, len(cut))


def loss(reader: PointReader, batch: list[Row]) -> Tensor:
    """Each point judged by itself, and, where a reply takes in a point, that point chosen among its customer's."""
    found = logits(reader, batch)
    wanted = [torch.tensor(row.taken) for row in batch]
    total = bce(torch.cat(found), torch.cat(wanted))
    choices = [
        mine.logsumexp(0) - mine[yes > 0].logsumexp(0)
        for mine, yes in zip(found, wanted, strict=True)
        if yes.any() and not yes.all()
    ]
    return total + CHOICE * torch.stack(choices).mean() if choices else total


def logits(reader: PointReader, batch: Sequence[Row]) -> list[Tensor]:
    """Logits of each row's points, (points,) each; in training, with some words hidden."""
    ids, marks = story_tensors([row.tokens for row in batch])
    if reader.training:
        ids = hidden(ids, batch[0].tokenizer)
    found = reader(ids, marks).float()
    return [mine[: len(row.taken)] for mine, row in zip(found, batch, strict=True)]


def predict(reader: PointReader, found: Sequence[Row]) -> list[np.ndarray]:
    """Chances of every point, one array a row; like lengths are read together."""
    order = sorted(range(len(found)), key=lambda i: len(found[i].tokens[0]))
    chances: dict[int, np.ndarray] = {}
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start_at in range(0, len(order), BATCH):
            chosen = order[start_at : start_at + BATCH]
            parts = logits(reader, [found[i] for i in chosen])
            chances |= {i: part.sigmoid().numpy() for i, part in zip(chosen, parts, strict=True)}
    return [chances[i] for i in range(len(found))]


def train(out: Path, epochs: int) -> list[np.ndarray]:
    """Train and save the weights into `out`. Returns the chances of the points of each validation reply."""
    encoding, encoder, width = start(SEED, ATTENTION)
    reader = PointReader(encoder, width)
    items = replies("train")
    examples, scenes = [Example(item, encoding) for item in items], by_scene(items)
    fit(
        reader,
        lambda: batches(rows([varied(one, scenes, encoding) for one in examples])),
        lambda batch: loss(reader, batch),
        epochs=epochs,
        rate=RATE,
    )
    save_weights(out, "points", reader)
    held_out = [Example(item, encoding) for item in replies("validation")]
    return predict(reader, [Row(one, answered(one.item.reading), story(one.item), ()) for one in held_out])


def settle(out: Path, chances: Sequence[np.ndarray], understood: Sequence[bool]) -> None:
    """Set the thresholds on the validation split, and save them into `out`.

    `understood` says of each of its replies whether the trained moves give it one that can take in a point.
    """
    save_settings(out, "points", settings_of(chances, replies("validation"), understood))


def settings_of(
    chances: Sequence[np.ndarray], items: Sequence[LabelledReply], understood: Sequence[bool]
) -> dict[str, float]:
    """The two thresholds with the highest F1 over all points, where only replies that were `understood` can take in a point;
    and the likeliest point's chance that nearly all genuine empathy exceeds: what lies under it may mean another customer."""
    wanted = [[point.id in one.acknowledged for point in story(one)] for one in items]
    best: tuple[float, float, float] = (0.0, 0.5, 0.5)
    for threshold in np.arange(0.1, 0.96, 0.02):
        for first in np.arange(0.02, threshold + 0.01, 0.04):
            said = right = 0
            for mine, mean, seen in zip(chances, wanted, understood, strict=True):
                if seen:
                    yes = taken(mine.tolist(), threshold, first)
                    said += sum(yes)
                    right += sum(a and b for a, b in zip(mean, yes, strict=True))
            best = max(best, (2 * right / max(said + sum(map(sum, wanted)), 1), float(threshold), float(first)))
    log.info("validation F1 of points %.3f", best[0])
    genuine = [
        mine.max()
        for mine, one in zip(chances, items, strict=True)
        if one.kind != "attack" and Move.SPECIFIC_EMPATHY in one.moves
    ]
    doubted = float(np.quantile(genuine, DOUBTED))
    return {"threshold": round(best[1], 3), "first": round(best[2], 3), "doubted_under": round(doubted, 3)}
