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
FROZEN_BLOCKS = 2
EPOCHS, BATCH = 2, 16
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

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output plus the scaled delta."""
        out: Tensor = self.layer(x) + (x @ self.A.T @ self.B.T) * (ALPHA / RANK)
        return out


def add_lora(encoder: nn.Module) -> dict[str, Lora]:
    """Freeze the encoder and wrap each linear layer of its upper blocks; returned by name.

    The lowest two blocks stay as they are: what they read is general, and the backward pass can stop above them.
    """
    for parameter in encoder.parameters():
        parameter.requires_grad = False
    upper = tuple(f"encoder.layer.{block}." for block in range(FROZEN_BLOCKS, 12))
    found = {name: m for name, m in encoder.named_modules() if isinstance(m, nn.Linear) and name.startswith(upper)}
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
        self.points = [tuple(encoding.point(point)) for point in story]
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
    known = list(dict.fromkeys(ids for one in batch for ids in one.points))  # each point is read once a batch
    vectors = reader.embed_points(*padded(known))[[known.index(ids) for one in batch for ids in one.points]]
    points = reader.points(states, reply, vectors, rows)
    taken = torch.tensor([t for one in batch for t in one.taken])
    return moves, torch.stack([one.moves for one in batch]), span_loss, points, taken


def shuffled_batches(examples: list[Example]) -> list[list[Example]]:
    """Random batches in which four replies at a time share a persona, so that few story points have to be read."""
    by_persona: dict[str, list[Example]] = {}
    for one in random.sample(examples, len(examples)):
        by_persona.setdefault(one.item.id.rsplit("-", 1)[0], []).append(one)
    fours = [group[i : i + 4] for group in by_persona.values() for i in range(0, len(group), 4)]
    random.shuffle(fours)
    return [[one for four in fours[i : i + BATCH // 4] for one in four] for i in range(0, len(fours), BATCH // 4)]


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
    for module in encoder.modules():  # drawing dropout masks costs half of the time on a CPU; the heads keep theirs
        if isinstance(module, nn.Dropout):
            module.p = 0.0
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
    steps = epochs * len(shuffled_batches(examples))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=[RATE_LORA, RATE_HEADS], total_steps=steps, pct_start=0.06
    )
    started = time.monotonic()
    for epoch in range(epochs):
        reader.train()
        total = 0.0
        batches = shuffled_batches(examples)
        for batch in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                moves, wanted, span_loss, points, taken = forward(reader, batch)
                loss = bce(moves, wanted) * 3 + SPAN_WEIGHT * span_loss + POINT_WEIGHT * bce(points, taken)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
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
