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
CONTEXT_TOKENS = 64
ROUNDED = 16  # lengths of a batch are multiples of it
ROWS = (1, 2, 4, 8, 16, 24, 32)  # how many rows a batch may have
BESIDE_TOKENS, SAID_TOKENS, POINT_TOKENS = 116, 96, 48  # beside a story: of the reply, of what was told, of a point
PADDING, REPLY, SAID, FIRST_POINT = 0, 1, 2, 3  # marks of tokens beside a story; a second point's are FIRST_POINT + 1

Item = TypeVar("Item")


def point_text(point: StoryPoint) -> str:
    """A story point as the evaluator reads it."""
    return f"{point.fact}. {point.feeling}, because {point.because}. {point.says[0]}"


def told(reading: Reading) -> str:
    """What the customer has said of late, the last line first, then what the call is about; "" where neither is known."""
    lines = [text for role, text in reversed(reading.history[-12:]) if role == "customer"]
    if reading.persona is not None:
        lines.append(reading.persona.headline)
    return " ".join(" ".join(line.split()) for line in lines)


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

    def beside(self, one: Encoded, said: str, points: Sequence[StoryPoint]) -> tuple[list[int], list[int]]:
        """Token ids, and marks of what each belongs to, of a reply, what the customer told, and story points."""
        sep = self.tokenizer.sep_token_id
        reply = _both_ends(one.ids[1 : 1 + one.reply_length], BESIDE_TOKENS)
        before = _both_ends(list(self._tokens(said).input_ids), SAID_TOKENS)
        parts = [[self.tokenizer.cls_token_id, *reply, sep], [*before, sep]]
        parts += [[*self._point(point), sep] for point in points]
        return [i for part in parts for i in part], [mark for mark, part in enumerate(parts, REPLY) for _ in part]

    def _point(self, point: StoryPoint) -> list[int]:
        if point not in self._points:
            if len(self._points) > 5000:
                self._points.clear()
            self._points[point] = list(self._tokens(point_text(point)).input_ids)[:POINT_TOKENS]
        return self._points[point]


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


def rounded(items: Sequence[Item]) -> list[Item]:
    """The items, the last of them repeated up to the next number in ROWS; for the same reason.

    Without both, memory grows with all that was ever read: four megabytes for each shape.
    """
    rows = next((rows for rows in ROWS if rows >= len(items)), len(items))
    return [*items, *[items[-1]] * (rows - len(items))]


def batch_tensors(encoded: Sequence[Encoded]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """ids, mask, types and the marks of the reply's own tokens, each (batch, tokens)."""
    ids, mask = padded([one.ids for one in encoded])
    types, _ = padded([one.types for one in encoded])
    reply = torch.zeros_like(ids, dtype=torch.bool)
    for i, one in enumerate(encoded):
        reply[i, 1 : 1 + max(1, one.reply_length)] = True
    return ids, mask, types, reply


def load_encoder(base: Path, attention: str = "eager") -> tuple[Any, nn.Module, int]:
    """Tokenizer, encoder and hidden size of the base. For long inputs "sdpa" is the faster attention. Raises ModelError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        encoder = AutoModel.from_pretrained(
            base, use_safetensors=True, add_pooling_layer=False, attn_implementation=attention
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The evaluator's base in {base} cannot be loaded ({error}); delete that folder and retry"
        ) from error
    return tokenizer, encoder, int(encoder.config.hidden_size)


Network = TypeVar("Network", bound=nn.Module)


def fitted(network: Network, state: dict[str, Tensor]) -> Network:
    """A network with `encoder`, brought to what was trained (`heads.*`: the heads, and the blocks of the encoder).

    Ready to judge: in evaluation mode, the encoder in bfloat16 where the processor computes with it. Raises ModelError when
    weights and network do not fit each other.
    """
    encoder: Any = network.encoder
    mine = {key.removeprefix("heads."): v.float() for key, v in state.items() if key.startswith("heads.")}
    try:
        missing, unknown = network.load_state_dict(mine, strict=False)
    except RuntimeError as error:
        raise ModelError(f"The evaluator's adapter does not fit its base ({error}); reinstall Defuse") from error
    if unknown or any(not key.startswith("encoder.embeddings.") for key in missing):
        raise ModelError("The evaluator's adapter does not fit this version of Defuse; reinstall it, or train it again")
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        encoder.to(torch.bfloat16)  # twice as fast; the heads stay exact
    return network.eval()
