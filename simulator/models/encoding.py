"""Replies, their context and story points as tokens.

Reply and context go in as two segments; the reply is data in a frame of its own that no text can leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from simulator.judge import Reading
from simulator.models.base import ModelError
from simulator.persona import StoryPoint

REPLY_TOKENS = 192  # a longer reply is read at both ends
CONTEXT_TOKENS = 80
ROUNDED = 16  # lengths of a batch are multiples of it
PAIR_REPLY_TOKENS, PAIR_POINT_TOKENS = 140, 48  # beside a story point, of the reply and of the point

Item = TypeVar("Item")


def point_text(point: StoryPoint) -> str:
    """A story point as the evaluator reads it."""
    return f"{point.fact}. {point.feeling}, because {point.because}. {point.says[0]}"


def context_text(reading: Reading) -> str:
    """What was said before, the customer's last line first; then who the customer is."""
    lines = [f"{role}: {text}" for role, text in reversed(reading.history[-5:])]
    if reading.persona is not None:
        lines.append(f"{reading.persona.role}, calls {reading.persona.company}. {reading.persona.headline}")
    return " ".join(" ".join(line.split()) for line in lines)


@dataclass(frozen=True)
class Encoded:
    """One reading as tokens. `offsets` are character spans of the reply's tokens, which begin at position 1."""

    ids: list[int]
    types: list[int]
    reply_length: int
    offsets: list[tuple[int, int]]


class Encoding:
    """Turns readings into tokens; control tokens typed into a reply stay ordinary words."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._points: dict[StoryPoint, list[int]] = {}

    def _tokens(self, text: str) -> Any:
        return self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
        )

    def __call__(self, reading: Reading) -> Encoded:
        said = self._tokens(reading.reply)
        ids, offsets = list(said.input_ids), [(int(a), int(b)) for a, b in said.offset_mapping]
        ids, offsets = _both_ends(ids, REPLY_TOKENS), _both_ends(offsets, REPLY_TOKENS)
        around = list(self._tokens(context_text(reading)).input_ids)[:CONTEXT_TOKENS]
        cls, sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return Encoded(
            ids=[cls, *ids, sep, *around, sep],
            types=[0] * (len(ids) + 2) + [1] * (len(around) + 1),
            reply_length=len(ids),
            offsets=offsets,
        )

    def pair(self, one: Encoded, point: StoryPoint) -> tuple[list[int], list[int]]:
        """Token ids of a reply and of a story point to stand behind it; each ends with a separator."""
        if point not in self._points:
            if len(self._points) > 5000:
                self._points.clear()
            self._points[point] = list(self._tokens(point_text(point)).input_ids)[:PAIR_POINT_TOKENS]
        sep = self.tokenizer.sep_token_id
        reply = _both_ends(one.ids[1 : 1 + one.reply_length], PAIR_REPLY_TOKENS)
        return [self.tokenizer.cls_token_id, *reply, sep], [*self._points[point], sep]


def _both_ends(items: list[Item], most: int) -> list[Item]:
    return items if len(items) <= most else items[: most // 2] + items[-(most - most // 2) :]


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of ids as one tensor with its mask, both (rows, longest, rounded up).

    Few different shapes, because the CPU's kernels are made, and kept, for each.
    """
    longest = -(-max(map(len, rows)) // ROUNDED) * ROUNDED
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def batch_tensors(encoded: Sequence[Encoded]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """ids, mask, types and the marks of the reply's own tokens, each (batch, tokens)."""
    ids, mask = padded([one.ids for one in encoded])
    types, _ = padded([one.types for one in encoded])
    reply = torch.zeros_like(ids, dtype=torch.bool)
    for i, one in enumerate(encoded):
        reply[i, 1 : 1 + max(1, one.reply_length)] = True
    return ids, mask, types, reply


def load_encoder(base: Path) -> tuple[Any, nn.Module, int]:
    """Tokenizer, encoder and hidden size of the base. Raises ModelError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        encoder = AutoModel.from_pretrained(
            base, use_safetensors=True, add_pooling_layer=False, attn_implementation="eager"
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The evaluator's base in {base} cannot be loaded ({error}); delete that folder and retry"
        ) from error
    return tokenizer, encoder, int(encoder.config.hidden_size)


Network = TypeVar("Network", bound=nn.Module)


def fitted(network: Network, state: dict[str, Tensor], scale: float = 1.0) -> Network:
    """A network with `encoder`, brought to what was trained: low-rank deltas (`lora.*`) merged; heads, and blocks that were
    trained whole, loaded (`heads.*`).

    Ready to judge: in evaluation mode, the encoder in bfloat16 where the processor computes with it. Raises ModelError when
    weights and network do not fit each other.
    """
    encoder: Any = network.encoder
    try:
        for name in sorted({key.removeprefix("lora.").rsplit(".", 1)[0] for key in state if key.startswith("lora.")}):
            delta = state[f"lora.{name}.B"].float() @ state[f"lora.{name}.A"].float() * scale
            encoder.get_submodule(name).weight.data.add_(delta)
        mine = {key.removeprefix("heads."): v.float() for key, v in state.items() if key.startswith("heads.")}
        missing, unknown = network.load_state_dict(mine, strict=False)
    except (AttributeError, KeyError, RuntimeError) as error:
        raise ModelError(f"The evaluator's adapter does not fit its base ({error}); reinstall Defuse") from error
    if unknown or any(not key.startswith("encoder.") for key in missing):
        raise ModelError("The evaluator's adapter does not fit this version of Defuse; reinstall it, or train it again")
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        encoder.to(torch.bfloat16)  # twice as fast; the heads stay exact
    return network.eval()
