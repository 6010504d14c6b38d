"""What both trainings of the evaluator share: the encoder made ready, the loop over batches, and the file that is saved."""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from simulator.models.bundled import MINILM, ensure
from simulator.models.encoding import Encoding, load_encoder

log = logging.getLogger(__name__)

WARM_UP = 0.07  # share of the steps
RATE_HEADS = 1e-3
HIDDEN = 0.1  # share of the words hidden in training: it stands in for the dropout that a CPU cannot afford

Batch = TypeVar("Batch")


class Start(NamedTuple):
    """The base, ready to be trained on."""

    encoding: Encoding
    encoder: nn.Module
    width: int


def start(seed: int, attention: str = "eager") -> Start:
    """The base encoder without dropout, its word vectors frozen, after all seeds are set.

    Drawing dropout masks costs half of the time on a CPU; the heads keep theirs.
    """
    random.seed(seed)
    torch.manual_seed(seed)
    tokenizer, encoder, width = load_encoder(ensure(MINILM), attention)
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for parameter in encoder.get_submodule("embeddings").parameters():
        parameter.requires_grad = False
    return Start(Encoding(tokenizer), encoder, width)


def hidden(ids: Tensor, tokenizer: Any) -> Tensor:
    """Token ids, (batch, tokens), of which the share HIDDEN is masked; never a frame's own token."""
    words = ~torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    return ids.masked_fill(words & (torch.rand(ids.shape) < HIDDEN), tokenizer.mask_token_id)


def fit(
    network: nn.Module,
    batches: Callable[[], list[Batch]],
    loss_of: Callable[[Batch], Tensor],
    *,
    epochs: int,
    rate: float,
) -> None:
    """Train what needs a gradient: the encoder at `rate`, the heads at RATE_HEADS; `batches` draws an epoch anew."""
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    encoder = [p for name, p in trained.items() if name.startswith("encoder.")]
    heads = [p for name, p in trained.items() if not name.startswith("encoder.")]
    groups = [{"params": encoder, "lr": rate}, {"params": heads, "lr": RATE_HEADS}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = epochs * (len(batches()) + 30)  # an epoch's batches vary in number by a few
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=[rate, RATE_HEADS], total_steps=steps, pct_start=WARM_UP
    )
    started = time.monotonic()
    network.train()
    for epoch in range(epochs):
        total, drawn = 0.0, batches()
        for number, batch in enumerate(drawn, 1):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
            if number % 50 == 0 or number == len(drawn):
                spent = time.monotonic() - started
                log.info(
                    "epoch %d, step %d of %d: loss %.4f, %.0f s", epoch + 1, number, len(drawn), total / number, spent
                )
    network.eval()


def save_weights(out: Path, name: str, network: nn.Module, more: Mapping[str, Tensor] | None = None) -> None:
    """Write what was trained as `name`.safetensors, in half precision."""
    trained = {k for k, p in network.named_parameters() if p.requires_grad}
    state = {f"heads.{k}": v.half() for k, v in network.state_dict().items() if k in trained}
    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in {**state, **(more or {})}.items()}, out / f"{name}.safetensors")


def save_settings(out: Path, name: str, settings: Mapping[str, object]) -> None:
    """Write the settings beside the weights, as `name`.json."""
    (out / f"{name}.json").write_text(json.dumps(settings, indent=1) + "\n")
