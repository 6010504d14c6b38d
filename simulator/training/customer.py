"""Trains the customer's adapter: `python -m simulator.training.customer`. Data, seed and recipe are all here.

LoRA on the bundled model, loss on the customer's words alone. Lines that answer the same reply in different moods are packed
behind one copy of their common prefix and cannot see each other, which saves nearly half of the work on a CPU.
"""

import argparse
import json
import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from simulator.engine import ADAPTERS
from simulator.models.bundled import SMOLLM2, ensure
from simulator.prompts import script
from simulator.training.data import CustomerLine, customer_lines

log = logging.getLogger(__name__)

RANK, RATE, EPOCHS = 16, 8e-4, 1
GROUPS = 4  # groups of lines a step, about twelve lines
SEED = 20


@dataclass(frozen=True)
class Packed:
    """A common prefix and several branches behind it, as one sequence.

    `branch` is -1 on the prefix, else the branch of each token; `targets` is the token that follows, or -100.
    """

    ids: list[int]
    positions: list[int]
    branch: list[int]
    targets: list[int]


def pack(tokenizer: Any, lines: Sequence[CustomerLine]) -> Packed:
    """One sequence for lines that share persona, history and reply."""
    first = lines[0]
    assert first.reading.persona is not None
    said = (*first.reading.history, ("trainee", first.reading.reply))
    stable, _ = script(first.reading.persona, said, first.directive, first.wording)
    prefix = [tokenizer.bos_token_id, *_ids(tokenizer, "".join(stable))]
    ids, positions = list(prefix), list(range(len(prefix)))
    branch, targets = [-1] * len(prefix), [-100] * len(prefix)
    for number, line in enumerate(lines):
        _, changing = script(first.reading.persona, said, line.directive, line.wording)
        asked = _ids(tokenizer, changing)
        answer = [*_ids(tokenizer, " " + line.line), tokenizer.eos_token_id]
        ids += asked + answer
        positions += range(len(prefix), len(prefix) + len(asked) + len(answer))
        branch += [number] * (len(asked) + len(answer))
        targets += [-100] * (len(asked) - 1) + answer + [-100]
    return Packed(ids, positions, branch, targets)


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)


def collate(rows: Sequence[Packed], dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """ids, positions, additive attention mask (rows, 1, length, length) and targets of a batch."""
    length = max(len(row.ids) for row in rows)
    ids, positions, branch, targets = (
        torch.tensor([[*values, *[fill] * (length - len(values))] for values in columns])
        for fill, columns in (
            (0, [row.ids for row in rows]),
            (0, [row.positions for row in rows]),
            (-2, [row.branch for row in rows]),
            (-100, [row.targets for row in rows]),
        )
    )
    same = branch[:, :, None] == branch[:, None, :]
    visible = (same | (branch[:, None, :] == -1)) & torch.ones(length, length, dtype=torch.bool).tril()
    mask = torch.zeros(visible.shape, dtype=dtype).masked_fill(~visible, torch.finfo(dtype).min)
    return ids, positions, mask[:, None], targets


def loss_of(model: Any, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """Mean negative log-likelihood over the customers' words; the vocabulary is scored only where it counts."""
    ids, positions, mask, targets = batch
    inner = model.get_base_model()
    states = inner.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False).last_hidden_state
    counted = targets != -100
    return cross_entropy(inner.lm_head(states[counted]).float(), targets[counted])


def packs(tokenizer: Any, lines: Sequence[CustomerLine]) -> list[Packed]:
    """All lines, grouped by the reply that they answer (neighbours in the file)."""
    return [
        pack(tokenizer, list(group))
        for _, group in groupby(
            lines, key=lambda line: (line.reading.persona, line.reading.history, line.reading.reply)
        )
    ]


def validate(model: Any, rows: Sequence[Packed]) -> float:
    """Mean loss over held-out lines."""
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        losses = [
            float(loss_of(model, collate(rows[i : i + GROUPS], torch.bfloat16))) for i in range(0, len(rows), GROUPS)
        ]
    model.train()
    return sum(losses) / len(losses)


def train(out: Path, epochs: int, most: int | None, start: Path | None, rate: float) -> None:
    """Train on the training split (its first `most` groups in random order, or all) and save the adapter into `out`.

    `start` is an adapter to go on from; without it a new one is begun.
    """
    random.seed(SEED)
    torch.manual_seed(SEED)
    base = ensure(SMOLLM2)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    # peft keeps fp32 master copies of the adapter over the bf16 base unless told otherwise; that is what we want.
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=targets, task_type="CAUSAL_LM")
    model.set_attn_implementation("eager")  # with a mask, the fused kernel is the slower one on a CPU
    model = PeftModel.from_pretrained(model, str(start), is_trainable=True) if start else get_peft_model(model, config)
    model.train()
    rows = packs(tokenizer, customer_lines("train"))
    random.shuffle(rows)
    rows = rows[:most]
    held_out = packs(tokenizer, customer_lines("validation"))
    steps = epochs * math.ceil(len(rows) / GROUPS)
    log.info("%d groups, %d tokens, %d steps", len(rows), sum(len(row.ids) for row in rows), steps)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps, pct_start=0.05)
    started, step, recent = time.monotonic(), 0, 0.0
    for _ in range(epochs):
        # Of like length within a step, in random order.
        ordered = sorted(rows, key=lambda row: len(row.ids) + random.uniform(-40, 40))
        batches = [ordered[i : i + GROUPS] for i in range(0, len(ordered), GROUPS)]
        random.shuffle(batches)
        for batch in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(model, collate(batch, torch.bfloat16))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            recent = float(loss.detach()) if step == 1 else 0.95 * recent + 0.05 * float(loss.detach())
            if step % 20 == 0 or step == 3:
                spent = time.monotonic() - started
                log.info("step %d/%d loss %.3f, %.0f s left", step, steps, recent, spent / step * (steps - step))
            if step % 200 == 0:
                save(model, out)
    save(model, out)
    log.info("validation loss %.3f after %.0f s", validate(model, held_out), time.monotonic() - started)


def save(model: Any, out: Path) -> None:
    """The adapter as safetensors in half precision; its base is named, not pathed."""
    out.mkdir(parents=True, exist_ok=True)
    half = {k: v.to(torch.bfloat16) for k, v in _adapter_state(model).items()}
    from safetensors.torch import save_file

    save_file(half, out / "adapter_model.safetensors")
    config = model.peft_config["default"].to_dict() | {"base_model_name_or_path": SMOLLM2.name, "inference_mode": True}
    config["target_modules"] = sorted(config["target_modules"])
    (out / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True, default=str) + "\n")


def _adapter_state(model: Any) -> dict[str, Tensor]:
    from peft import get_peft_model_state_dict

    return dict(get_peft_model_state_dict(model))


def main() -> None:
    """Command line: where to save, epochs, and how much of the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ADAPTERS / "customer")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--most", type=int, default=None, help="train on this many groups only")
    parser.add_argument("--start", type=Path, default=None, help="an adapter to go on from")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate of the one cycle")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(arguments.out, arguments.epochs, arguments.most, arguments.start, arguments.rate)


if __name__ == "__main__":
    main()
