"""Trains the evaluator: `python -m simulator.training.evaluator`. Data, seed and recipe are all here.

All blocks of the encoder, and heads, on the labelled replies; beside it a second encoder, which hears story points (points.py).
Thresholds and calibration come from the validation split, whose pens and situations the training never saw; the test split
is only ever scored.
"""

import argparse
import logging
import os
import random
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.engine import ADAPTERS
from simulator.models.encoding import batch_tensors
from simulator.models.points import TAKE_IN
from simulator.models.reader import Familiar, Reader
from simulator.moves import MOVES
from simulator.training import points
from simulator.training.data import replies
from simulator.training.examples import Example, best_threshold, by_scene, shuffled_batches, varied
from simulator.training.loop import fit, hidden, save_settings, save_weights, start

log = logging.getLogger(__name__)

RUBRIC = "1"
EPOCHS, RATE = 3, 1.5e-4
SPAN_WEIGHT = 0.5
SEED = 20


class Forward(NamedTuple):
    """Logits and targets of a batch: signals, (n, signals) twice, the loss of the spans, and whole-reply states, (n, width)."""

    signals: Tensor
    wanted: Tensor
    span_loss: Tensor
    whole: Tensor


def forward(reader: Reader, batch: list[Example]) -> Forward:
    """Run a batch through encoder and heads; in training, with some words hidden."""
    ids, mask, types, reply = batch_tensors([one.encoded for one in batch])
    if reader.training:
        ids = hidden(ids, batch[0].encoding.tokenizer)
    states = reader.read(ids, mask, types)
    signals, spans = reader.moves(states, reply)
    wanted = torch.zeros_like(spans)
    for i, one in enumerate(batch):
        wanted[i, 1 : 1 + one.encoded.reply_length] = one.spans
    span_loss = bce(spans[reply], wanted[reply])
    return Forward(signals, torch.stack([one.signals for one in batch]), span_loss, states[:, 0])


def predict(reader: Reader, examples: list[Example]) -> list[np.ndarray]:
    """The fields of Forward over a whole split, without the span loss; like lengths are read together."""
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].encoded.ids))
    parts: list[list[Tensor]] = [[], [], []]
    with torch.inference_mode():
        for start_at in range(0, len(order), 32):
            one = forward(reader, [examples[i] for i in order[start_at : start_at + 32]])
            for kept, tensor in zip(parts, (one.signals, one.wanted, one.whole), strict=True):
                kept.append(tensor)
    back = torch.tensor(order).argsort()
    return [torch.cat(part)[back].numpy() for part in parts]


def fit_settings(signals: np.ndarray, wanted: np.ndarray) -> dict[str, Any]:
    """Calibration (Platt) and thresholds from validation logits."""
    thresholds, calibration, scores = {}, {}, {}
    for k, move in enumerate(MOVES):
        platt = LogisticRegression(C=1.0).fit(signals[:, k : k + 1], wanted[:, k])
        slope, bias = float(platt.coef_[0, 0]), float(platt.intercept_[0])
        chances = 1 / (1 + np.exp(-(signals[:, k] * slope + bias)))
        thresholds[move.value] = best_threshold(chances)
        scores[move.value] = float(f1_score(wanted[:, k], chances >= thresholds[move.value]))
        calibration[move.value] = [slope, bias]
    attack = 1 / (1 + np.exp(-signals[:, -1]))
    genuine = wanted[:, -1] == 0
    log.info("validation F1 %s", {k: round(v, 3) for k, v in scores.items()})
    log.info("validation macro F1 %.3f", float(np.mean(list(scores.values()))))
    return {
        "rubric": RUBRIC,
        "thresholds": thresholds,
        "calibration": calibration,
        # Three genuine replies in a hundred may be taken for an attack, so that hardly an attack is missed.
        "attack_threshold": float(np.quantile(attack[genuine], 0.97)),
        "uncertain_within": 0.05,
    }


def fit_familiar(learnt: np.ndarray, held_out: np.ndarray) -> tuple[dict[str, Tensor], float]:
    """Mean and whitening root of the states of genuine training replies; the distance within which validation lies."""
    shrunk = LedoitWolf().fit(learnt)
    values, vectors = np.linalg.eigh(shrunk.precision_)
    whiten = torch.from_numpy(vectors * np.sqrt(np.maximum(values, 0.0))).float()
    mean = torch.from_numpy(shrunk.location_).float()
    distances = Familiar(mean, whiten, 0.0).distance(torch.from_numpy(held_out))
    return {"familiar.mean": mean, "familiar.whiten": whiten}, float(distances.quantile(0.995)) * 1.05


def loss(reader: Reader, batch: list[Example]) -> Tensor:
    """Moves and attack by the whole reply, and moves by token."""
    one = forward(reader, batch)
    return bce(one.signals, one.wanted) * 3 + SPAN_WEIGHT * one.span_loss


def train(out: Path, epochs: int) -> list[bool]:
    """Train, set thresholds on validation, and save weights and settings into `out`.

    Returns, for each validation reply, whether it makes a move that can take in a story point.
    """
    encoding, encoder, width = start(SEED)
    reader = Reader(encoder, width)
    items = replies("train")
    examples, scenes = [Example(item, encoding) for item in items], by_scene(items)
    held_out = [Example(item, encoding) for item in replies("validation")]
    log.info("%d training replies, %d for validation", len(examples), len(held_out))
    fit(
        reader,
        lambda: shuffled_batches([varied(one, scenes, encoding) for one in examples]),
        lambda batch: loss(reader, batch),
        epochs=epochs,
        rate=RATE,
    )
    signals, wanted, states = predict(reader, held_out)
    settings = fit_settings(signals, wanted)
    genuine = [one for one in examples if one.item.kind != "attack"]
    learnt = predict(reader, random.sample(genuine, min(3000, len(genuine))))[-1]
    familiar, within = fit_familiar(learnt, states[wanted[:, -1] == 0])
    save_weights(out, "reader", reader, familiar)
    save_settings(out, "reader", {**settings, "familiar_within": within})
    return understood(signals, settings)


def understood(signals: np.ndarray, settings: Mapping[str, Any]) -> list[bool]:
    """Which replies make a move that can take in a story point, by calibrated logits over their thresholds."""
    over = np.zeros(len(signals), bool)
    for move in TAKE_IN:
        slope, bias = settings["calibration"][move.value]
        chances = 1 / (1 + np.exp(-(signals[:, MOVES.index(move)] * slope + bias)))
        over |= chances >= settings["thresholds"][move.value]
    return [bool(yes) for yes in over]


def share_processor() -> None:
    """Half of the cores, and a log, for each of the two trainings."""
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for name in ("httpx", "datasets"):
        logging.getLogger(name).setLevel(logging.WARNING)


def main() -> None:
    """Command line: where to save, and how many epochs the moves get."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ADAPTERS / "evaluator")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="for the moves")
    arguments = parser.parse_args()
    share_processor()
    # One core each is faster than both after one another on two.
    with ProcessPoolExecutor(2, get_context("spawn"), share_processor) as pool:
        understood = pool.submit(train, arguments.out, arguments.epochs)
        chances = pool.submit(points.train, arguments.out, points.EPOCHS)
        points.settle(arguments.out, chances.result(), understood.result())
    log.info("saved to %s; all thresholds were set on validation only", arguments.out)


if __name__ == "__main__":
    main()
