"""Trains the part of the evaluator that hears story points; the second half of `python -m simulator.training.evaluator`.

An encoder of its own, so that what helps to tell moves apart cannot blur what two sentences have in common. Threshold from the
validation split.
"""

import json
import logging
import random
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from simulator.models.bundled import MINILM, ensure
from simulator.models.encoding import Encoding, batch_tensors, load_encoder, padded
from simulator.models.points import PointReader
from simulator.training.data import replies
from simulator.training.examples import Example, best_threshold, by_scene, shuffled_batches, varied
from simulator.training.lora import add_lora

log = logging.getLogger(__name__)

EPOCHS, RATE_LORA, RATE_HEAD = 2, 1e-3, 1e-3
SEED = 21


def forward(reader: PointReader, batch: list[Example]) -> tuple[Tensor, Tensor]:
    """Logits and targets of every reply with every story point of its customer, (pairs,) twice."""
    ids, mask, types, reply = batch_tensors([one.encoded for one in batch])
    states = reader.read(ids, mask, types)
    known = list(dict.fromkeys(ids for one in batch for ids in one.points))  # each point is read once a batch
    points = reader.embed(*padded(known))[[known.index(ids) for one in batch for ids in one.points]]
    rows = torch.tensor([i for i, one in enumerate(batch) for _ in one.points])
    return reader(states, reply, points, rows), torch.tensor([t for one in batch for t in one.taken])


def predict(reader: PointReader, examples: list[Example]) -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets over a whole split."""
    reader.eval()
    with torch.inference_mode():
        found = [forward(reader, examples[start : start + 32]) for start in range(0, len(examples), 32)]
    logits, taken = (torch.cat(part).numpy() for part in zip(*found, strict=True))
    return logits, taken


def train(out: Path, epochs: int) -> None:
    """Train, set the threshold on validation, and add weights and threshold to the evaluator's adapter in `out`."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    tokenizer, encoder, width = load_encoder(ensure(MINILM))
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    lora = add_lora(encoder)
    reader, encoding = PointReader(encoder, width), Encoding(tokenizer)
    items = replies("train")
    examples, scenes = [Example(item, encoding) for item in items], by_scene(items)
    held_out = [Example(item, encoding) for item in replies("validation")]
    head = [p for name, p in reader.named_parameters() if not name.startswith("encoder.")]
    groups = [
        {"params": [p for p in encoder.parameters() if p.requires_grad], "lr": RATE_LORA},
        {"params": head, "lr": RATE_HEAD},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * (len(shuffled_batches(examples)) + 20)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=[RATE_LORA, RATE_HEAD], total_steps=steps, pct_start=0.06
    )
    started = time.monotonic()
    for epoch in range(epochs):
        reader.train()
        total = 0.0
        batches = shuffled_batches([varied(one, scenes, encoding) for one in examples])
        for number, batch in enumerate(batches, 1):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = bce(*forward(reader, batch))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
            if number % 50 == 0:
                log.info("epoch %d, step %d of %d: loss %.4f", epoch + 1, number, len(batches), total / number)
        logits, taken = predict(reader, held_out)
        threshold, f1 = best_threshold(1 / (1 + np.exp(-logits)), taken)
        log.info("epoch %d: validation F1 of points %.3f, %.0f s", epoch + 1, f1, time.monotonic() - started)
        state = {f"heads.{k}": v.half() for k, v in reader.state_dict().items() if not k.startswith("encoder.")}
        for name, layer in lora.items():
            state |= {f"lora.{name}.A": layer.A.detach().half(), f"lora.{name}.B": layer.B.detach().half()}
        out.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in state.items()}, out / "points.safetensors")
        (out / "points.json").write_text(json.dumps({"threshold": threshold}) + "\n")
