"""Trains the evaluator's adapter: `python -m simulator.training.evaluator`. Data, seed and recipe are all here.

LoRA on every linear layer of the encoder, and three heads, on the labelled replies. Thresholds and calibration come from the
validation split, whose pens and situations the training never saw; the test split is only ever scored.
"""

import argparse
import json
import logging
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.engine import ADAPTERS
from simulator.models.bundled import MINILM, ensure
from simulator.models.reader import Encoded, Encoding, Reader, batch_tensors, load_encoder, padded
from simulator.moves import MOVES
from simulator.training.data import LabelledReply, replies

log = logging.getLogger(__name__)

RUBRIC = "1"
RANK, ALPHA = 32, 64
EPOCHS, BATCH = 8, 16
RATE_LORA, RATE_HEADS = 1e-3, 1e-3
SPAN_WEIGHT, POINT_WEIGHT = 0.5, 1.0
SEED = 20


class Lora(nn.Module):
    """A frozen linear layer with a trained low-rank delta (Hu et al., 2021)."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.A = nn.Parameter(torch.randn(RANK, layer.in_features) / math.sqrt(layer.in_features))
        self.B = nn.Parameter(torch.zeros(layer.out_features, RANK))
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output plus the scaled delta."""
        out: Tensor = self.layer(x) + (self.drop(x) @ self.A.T @ self.B.T) * (ALPHA / RANK)
        return out


def add_lora(encoder: nn.Module) -> dict[str, Lora]:
    """Freeze the encoder and wrap each linear layer of its blocks; returned by name."""
    for parameter in encoder.parameters():
        parameter.requires_grad = False
    found = {name: layer for name, layer in encoder.named_modules() if isinstance(layer, nn.Linear)}
    wrapped = {}
    for name, layer in found.items():
        parent, _, leaf = name.rpartition(".")
        wrapped[name] = Lora(layer)
        setattr(encoder.get_submodule(parent), leaf, wrapped[name])
    return wrapped


class Example:
    """One labelled reply as tensors."""

    def __init__(self, item: LabelledReply, encoding: Encoding) -> None:
        self.item = item
        self.encoded: Encoded = encoding(item.reading)
        self.moves = torch.tensor([float(move in item.moves) for move in MOVES])
        self.spans = torch.zeros(self.encoded.reply_length, len(MOVES))
        start = 0
        for part in item.parts:
            end = start + len(part.text)
            for k, (a, b) in enumerate(self.encoded.offsets):
                if a >= start and b <= end:
                    for move in part.moves:
                        self.spans[k, MOVES.index(move)] = 1
            start = end + 1
        story = item.reading.persona.story if item.reading.persona else ()
        self.points = [encoding.point(point) for point in story]
        self.taken = [float(point.id in item.acknowledged) for point in story]


def forward(reader: Reader, batch: list[Example]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Logits and targets of a batch: moves, spans loss, points, and the points' targets."""
    ids, mask, types, reply = batch_tensors([one.encoded for one in batch])
    states = reader.read(ids, mask, types)
    moves, spans = reader.moves(states, reply)
    wanted = torch.zeros_like(spans)
    for i, one in enumerate(batch):
        wanted[i, 1 : 1 + one.encoded.reply_length] = one.spans
    span_loss = bce(spans[reply], wanted[reply])
    rows = torch.tensor([i for i, one in enumerate(batch) for _ in one.points])
    vectors = reader.embed_points(*padded([ids for one in batch for ids in one.points]))
    points = reader.points(states, reply, vectors, rows)
    taken = torch.tensor([t for one in batch for t in one.taken])
    return moves, torch.stack([one.moves for one in batch]), span_loss, points, taken


def predict(reader: Reader, examples: list[Example]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Logits and targets over a whole split: moves (n, moves) twice, points (pairs,) twice."""
    reader.eval()
    parts: list[list[Tensor]] = [[], [], [], []]
    with torch.inference_mode():
        for start in range(0, len(examples), 32):
            moves, wanted, _, points, taken = forward(reader, examples[start : start + 32])
            for kept, tensor in zip(parts, (moves, wanted, points, taken), strict=True):
                kept.append(tensor)
    a, b, c, d = (torch.cat(part).numpy() for part in parts)
    return a, b, c, d


def best_threshold(chances: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """The threshold with the highest F1, and that F1; the middle between neighbours, never at the edge."""
    precision, recall, cuts = precision_recall_curve(wanted, chances)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1[:-1].argmax())
    low = cuts[best - 1] if best else 0.0
    return float(np.clip((cuts[best] + low) / 2, 0.1, 0.9)), float(f1[best])


def fit_settings(moves: np.ndarray, wanted: np.ndarray, points: np.ndarray, taken: np.ndarray) -> dict[str, object]:
    """Calibration (Platt) and thresholds from validation logits."""
    thresholds, calibration, scores = {}, {}, {}
    for k, move in enumerate(MOVES):
        platt = LogisticRegression(C=1.0).fit(moves[:, k : k + 1], wanted[:, k])
        slope, bias = float(platt.coef_[0, 0]), float(platt.intercept_[0])
        chances = 1 / (1 + np.exp(-(moves[:, k] * slope + bias)))
        thresholds[move.value], scores[move.value] = best_threshold(chances, wanted[:, k])
        calibration[move.value] = [slope, bias]
    point_threshold, point_f1 = best_threshold(1 / (1 + np.exp(-points)), taken)
    log.info("validation F1 %s", {k: round(v, 3) for k, v in scores.items()})
    log.info("validation macro F1 %.3f, points %.3f", float(np.mean(list(scores.values()))), point_f1)
    return {
        "rubric": RUBRIC,
        "thresholds": thresholds,
        "calibration": calibration,
        "point_threshold": point_threshold,
        "uncertain_within": 0.05,
        "lora_scale": ALPHA / RANK,
    }


def train(out: Path, epochs: int) -> None:
    """Train, set thresholds on validation, and save adapter and settings into `out`."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    tokenizer, encoder, width = load_encoder(ensure(MINILM))
    lora = add_lora(encoder)
    reader = Reader(encoder, width)
    encoding = Encoding(tokenizer)
    examples = [Example(item, encoding) for item in replies("train")]
    held_out = [Example(item, encoding) for item in replies("validation")]
    log.info("%d training replies, %d for validation", len(examples), len(held_out))
    heads = [p for name, p in reader.named_parameters() if not name.startswith("encoder.")]
    groups = [
        {"params": [p for p in encoder.parameters() if p.requires_grad], "lr": RATE_LORA},
        {"params": heads, "lr": RATE_HEADS},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * math.ceil(len(examples) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=[RATE_LORA, RATE_HEADS], total_steps=steps, pct_start=0.06
    )
    started = time.monotonic()
    for epoch in range(epochs):
        reader.train()
        # Batches of like length, in random order: half the padding of a plain shuffle.
        order = sorted(examples, key=lambda one: len(one.encoded.ids) + random.uniform(-30, 30))
        batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
        random.shuffle(batches)
        total = 0.0
        for batch in batches:
            moves, wanted, span_loss, points, taken = forward(reader, batch)
            loss = bce(moves, wanted) * 3 + SPAN_WEIGHT * span_loss + POINT_WEIGHT * bce(points, taken)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss)
        log.info("epoch %d: loss %.4f, %.0f s", epoch + 1, total / len(batches), time.monotonic() - started)
        settings = fit_settings(*predict(reader, held_out))
        save(out, reader, lora, settings)


def save(out: Path, reader: Reader, lora: dict[str, Lora], settings: dict[str, object]) -> None:
    """Write deltas and heads as safetensors (half precision), and the settings beside them."""
    out.mkdir(parents=True, exist_ok=True)
    state = {k: v for k, v in reader.state_dict().items() if not k.startswith("encoder.")}
    for name, layer in lora.items():
        state |= {f"lora.{name}.A": layer.A.detach(), f"lora.{name}.B": layer.B.detach()}
    save_file({k: v.half().contiguous() for k, v in state.items()}, out / "reader.safetensors")
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
    log.info("saved to %s; empathy threshold and all others set on validation only", arguments.out)


if __name__ == "__main__":
    main()
