"""Trains the evaluator's adapter: `python -m simulator.training.evaluator`. Data, seed and recipe are all here.

LoRA on the upper blocks of the encoder, and heads, on the labelled replies; then the encoder that hears story points (points.py).
Thresholds and calibration come from the
validation split, whose pens and situations the training never saw; the test split is only ever scored.
"""

import argparse
import json
import logging
import random
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.engine import ADAPTERS
from simulator.models.bundled import MINILM, ensure
from simulator.models.encoding import Encoding, batch_tensors, load_encoder
from simulator.models.reader import Familiar, Reader
from simulator.moves import MOVES
from simulator.training import points
from simulator.training.data import replies
from simulator.training.examples import Example, best_threshold, by_scene, shuffled_batches, varied
from simulator.training.lora import ALPHA, RANK, Lora, add_lora

log = logging.getLogger(__name__)

RUBRIC = "1"
EPOCHS = 4
RATE_LORA, RATE_HEADS = 1e-3, 1e-3
SPAN_WEIGHT = 0.5
SEED = 20


class Forward(NamedTuple):
    """Logits and targets of a batch: signals, (n, signals) twice, the loss of the spans, and whole-reply states, (n, width)."""

    signals: Tensor
    wanted: Tensor
    span_loss: Tensor
    whole: Tensor


def forward(reader: Reader, batch: list[Example]) -> Forward:
    """Run a batch through encoder and heads."""
    ids, mask, types, reply = batch_tensors([one.encoded for one in batch])
    states = reader.read(ids, mask, types)
    signals, spans = reader.moves(states, reply)
    wanted = torch.zeros_like(spans)
    for i, one in enumerate(batch):
        wanted[i, 1 : 1 + one.encoded.reply_length] = one.spans
    span_loss = bce(spans[reply], wanted[reply])
    return Forward(signals, torch.stack([one.signals for one in batch]), span_loss, states[:, 0])


def predict(reader: Reader, examples: list[Example]) -> list[np.ndarray]:
    """The fields of Forward over a whole split, without the span loss."""
    reader.eval()
    parts: list[list[Tensor]] = [[], [], []]
    with torch.inference_mode():
        for start in range(0, len(examples), 32):
            one = forward(reader, examples[start : start + 32])
            for kept, tensor in zip(parts, (one.signals, one.wanted, one.whole), strict=True):
                kept.append(tensor)
    return [torch.cat(part).numpy() for part in parts]


def fit_settings(signals: np.ndarray, wanted: np.ndarray) -> dict[str, object]:
    """Calibration (Platt) and thresholds from validation logits."""
    thresholds, calibration, scores = {}, {}, {}
    for k, move in enumerate(MOVES):
        platt = LogisticRegression(C=1.0).fit(signals[:, k : k + 1], wanted[:, k])
        slope, bias = float(platt.coef_[0, 0]), float(platt.intercept_[0])
        chances = 1 / (1 + np.exp(-(signals[:, k] * slope + bias)))
        thresholds[move.value], scores[move.value] = best_threshold(chances, wanted[:, k])
        calibration[move.value] = [slope, bias]
    attack = 1 / (1 + np.exp(-signals[:, -1]))
    genuine = wanted[:, -1] == 0
    log.info("validation F1 %s", {k: round(v, 3) for k, v in scores.items()})
    log.info("validation macro F1 %.3f", float(np.mean(list(scores.values()))))
    return {
        "rubric": RUBRIC,
        "thresholds": thresholds,
        "calibration": calibration,
        # No more than one genuine reply in a hundred may be taken for an attack.
        "attack_threshold": float(np.quantile(attack[genuine], 0.99)),
        "uncertain_within": 0.05,
        "lora_scale": ALPHA / RANK,
    }


def fit_familiar(learnt: np.ndarray, held_out: np.ndarray) -> tuple[dict[str, Tensor], float]:
    """Mean and whitening root of the states of genuine training replies; the distance within which validation lies."""
    shrunk = LedoitWolf().fit(learnt)
    values, vectors = np.linalg.eigh(shrunk.precision_)
    whiten = torch.from_numpy(vectors * np.sqrt(np.maximum(values, 0.0))).float()
    mean = torch.from_numpy(shrunk.location_).float()
    distances = Familiar(mean, whiten, 0.0).distance(torch.from_numpy(held_out))
    return {"familiar.mean": mean, "familiar.whiten": whiten}, float(distances.quantile(0.995)) * 1.05


def train(out: Path, epochs: int) -> None:
    """Train, set thresholds on validation, and save adapter and settings into `out`."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    tokenizer, encoder, width = load_encoder(ensure(MINILM))
    for module in encoder.modules():  # drawing dropout masks costs half of the time on a CPU; the heads keep theirs
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    lora = add_lora(encoder)
    reader = Reader(encoder, width)
    encoding = Encoding(tokenizer)
    items = replies("train")
    examples = [Example(item, encoding) for item in items]
    scenes = by_scene(items)
    held_out = [Example(item, encoding) for item in replies("validation")]
    log.info("%d training replies, %d for validation", len(examples), len(held_out))
    heads = [p for name, p in reader.named_parameters() if not name.startswith("encoder.")]
    groups = [
        {"params": [p for p in encoder.parameters() if p.requires_grad], "lr": RATE_LORA},
        {"params": heads, "lr": RATE_HEADS},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * len(shuffled_batches(examples))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=[RATE_LORA, RATE_HEADS], total_steps=steps, pct_start=0.06
    )
    started = time.monotonic()
    for epoch in range(epochs):
        reader.train()
        total = 0.0
        batches = shuffled_batches([varied(one, scenes, encoding) for one in examples])
        for number, batch in enumerate(batches, 1):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                one = forward(reader, batch)
                loss = bce(one.signals, one.wanted) * 3 + SPAN_WEIGHT * one.span_loss
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
            if number % 50 == 0:
                log.info("epoch %d, step %d of %d: loss %.4f", epoch + 1, number, len(batches), total / number)
        log.info("epoch %d: loss %.4f, %.0f s", epoch + 1, total / len(batches), time.monotonic() - started)
        *seen, states = predict(reader, held_out)
        settings = fit_settings(*seen)
        save(out, reader, lora, settings, {})
    genuine = [one for one in examples if one.item.kind != "attack"]
    learnt = predict(reader, random.sample(genuine, min(3000, len(genuine))))[-1]
    familiar, within = fit_familiar(learnt, states[seen[1][:, -1] == 0])
    save(out, reader, lora, settings | {"familiar_within": within}, familiar)


def save(
    out: Path, reader: Reader, lora: dict[str, Lora], settings: dict[str, object], familiar: dict[str, Tensor]
) -> None:
    """Write deltas and heads as safetensors (half precision), and the settings beside them."""
    out.mkdir(parents=True, exist_ok=True)
    state = {f"heads.{k}": v.half() for k, v in reader.state_dict().items() if not k.startswith("encoder.")}
    for name, layer in lora.items():
        state |= {f"lora.{name}.A": layer.A.detach().half(), f"lora.{name}.B": layer.B.detach().half()}
    save_file({k: v.contiguous() for k, v in (state | familiar).items()}, out / "reader.safetensors")
    (out / "reader.json").write_text(json.dumps(settings, indent=1) + "\n")


def main() -> None:
    """Command line: where to save, and how many epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ADAPTERS / "evaluator")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for name in ("httpx", "datasets"):
        logging.getLogger(name).setLevel(logging.WARNING)
    train(arguments.out, arguments.epochs)
    points.train(arguments.out, points.EPOCHS)
    log.info("saved to %s; empathy threshold and all others set on validation only", arguments.out)


if __name__ == "__main__":
    main()
