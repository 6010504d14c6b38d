"""Trains the part of the evaluator that hears story points; the second half of `python -m simulator.training.evaluator`.

A cross-encoder (models/points.py), all of its blocks tuned, on every reply that shows understanding beside every story point of
its customer, and on some others. Thresholds come from the validation split.
"""

import logging
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.models.points import TAKE_IN, PointReader, pair_tensors, taken
from simulator.persona import StoryPoint
from simulator.training.data import replies
from simulator.training.examples import Example, by_scene, varied
from simulator.training.loop import fit, save, start

log = logging.getLogger(__name__)

EPOCHS, RATE = 3, 1.5e-4
BATCH = 16
OTHERS = 0.25  # share of the other replies in an epoch, attacks apart, each beside one story point
CHOICE = 0.5  # weight of choosing among the points of a customer, against judging each by itself
SEED = 21

Pair = tuple[list[int], list[int]]


class Row:
    """A reply beside story points: the pairs, and which of the points it takes in."""

    def __init__(self, one: Example, points: Sequence[StoryPoint]) -> None:
        self.pairs: list[Pair] = [one.encoding.pair(one.encoded, point) for point in points]
        self.taken = [float(point.id in one.item.acknowledged) for point in points]


def story(one: Example) -> tuple[StoryPoint, ...]:
    """The story of the reply's customer."""
    return one.item.reading.persona.story if one.item.reading.persona else ()


def rows(examples: Sequence[Example]) -> list[Row]:
    """An epoch: replies that show understanding with their whole story, attacks and some others with one point of it."""
    drawn = []
    for one in examples:
        if not story(one):
            continue
        if not TAKE_IN.isdisjoint(one.item.moves):
            drawn.append(Row(one, story(one)))
        elif one.item.kind == "attack" or random.random() < OTHERS:
            drawn.append(Row(one, [random.choice(story(one))]))
    return drawn


def batches(drawn: list[Row]) -> list[list[Row]]:
    """Random batches of rows of like length."""
    drawn = sorted(drawn, key=lambda row: len(row.pairs[0][0]) + random.uniform(-15, 15))
    cut = [drawn[i : i + BATCH] for i in range(0, len(drawn), BATCH)]
    return random.sample(cut, len(cut))


def loss(reader: PointReader, batch: list[Row]) -> Tensor:
    """Each pair judged by itself, and, where a reply takes in a point, that point chosen among its customer's."""
    logits = reader(*pair_tensors([pair for row in batch for pair in row.pairs])).float()
    wanted = torch.tensor([yes for row in batch for yes in row.taken])
    total = bce(logits, wanted)
    choices, first = [], 0
    for row in batch:
        mine, yes = logits[first : first + len(row.taken)], wanted[first : first + len(row.taken)] > 0
        first += len(row.taken)
        if yes.any() and not yes.all():
            choices.append(mine.logsumexp(0) - mine[yes].logsumexp(0))
    return total + CHOICE * torch.stack(choices).mean() if choices else total


def predict(reader: PointReader, found: Sequence[Row]) -> list[np.ndarray]:
    """Chances of every pair, one array a row; like lengths are read together."""
    order = sorted(range(len(found)), key=lambda i: len(found[i].pairs[0][0]))
    chances: dict[int, np.ndarray] = {}
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start_at in range(0, len(order), BATCH):
            chosen = order[start_at : start_at + BATCH]
            logits = reader(*pair_tensors([pair for i in chosen for pair in found[i].pairs])).float()
            parts = logits.sigmoid().split([len(found[i].pairs) for i in chosen])
            chances |= {i: part.numpy() for i, part in zip(chosen, parts, strict=True)}
    return [chances[i] for i in range(len(found))]


def fit_thresholds(chances: Sequence[np.ndarray], found: Sequence[Row], understood: Sequence[bool]) -> dict[str, float]:
    """The two thresholds with the highest F1 over all pairs, where only replies that were `understood` can take in a point."""
    wanted = sum(sum(row.taken) for row in found)
    best: tuple[float, float, float] = (0.0, 0.5, 0.5)
    for threshold in np.arange(0.1, 0.96, 0.02):
        for first in np.arange(0.02, threshold + 0.01, 0.04):
            said = right = 0.0
            for mine, row, seen in zip(chances, found, understood, strict=True):
                if seen:
                    yes = taken(mine.tolist(), threshold, first)
                    said += sum(yes)
                    right += sum(t for t, y in zip(row.taken, yes, strict=True) if y)
            best = max(best, (2 * right / max(said + wanted, 1.0), float(threshold), float(first)))
    log.info("validation F1 of points %.3f", best[0])
    return {"threshold": round(best[1], 3), "first": round(best[2], 3)}


def train(out: Path, epochs: int, understood: Sequence[bool]) -> None:
    """Train, set the thresholds on validation, and save into `out`.

    `understood` says of each validation reply whether the trained moves give it one that can take in a point.
    """
    encoding, encoder, width = start(SEED)
    for parameter in encoder.get_submodule("embeddings").parameters():
        parameter.requires_grad = False
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
    held_out = [Example(item, encoding) for item in replies("validation")]
    known = [i for i, one in enumerate(held_out) if story(one)]
    found = [Row(held_out[i], story(held_out[i])) for i in known]
    save(out, "points", reader, fit_thresholds(predict(reader, found), found, [understood[i] for i in known]))
