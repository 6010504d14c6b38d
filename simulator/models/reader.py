"""The trained evaluator: a small encoder with adapters reads a reply in its context, in batches.

Reply and context go in as two segments; the reply is data in a frame of its own that no text can leave. Three heads share
one reading: moves by attention over the reply's tokens, the tokens that show each move (evidence), and, against an
embedding of every story point, which points were taken in.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from simulator.judge import JudgeError, Reading
from simulator.models.base import ModelError
from simulator.moves import MOVES, Judgement, Move
from simulator.persona import StoryPoint

REPLY_TOKENS = 192  # a longer reply is read at both ends
CONTEXT_TOKENS = 64
POINT_TOKENS = 56
BATCH = 32


class Reader(nn.Module):
    """Encoder and heads. `width` is the encoder's hidden size (384 for MiniLM)."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.query = nn.Parameter(torch.randn(len(MOVES), width) * 0.02)
        self.weigh = nn.Linear(width, width)
        self.move = nn.Parameter(torch.randn(len(MOVES), 2 * width) * 0.02)
        self.move_bias = nn.Parameter(torch.full((len(MOVES),), -2.0))
        self.span = nn.Linear(width, len(MOVES))
        self.point_query = nn.Linear(width, width)
        self.point = nn.Sequential(nn.Linear(4 * width, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 1))

    def read(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Token states, (batch, tokens, width)."""
        out: Tensor = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return out

    def moves(self, states: Tensor, reply: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each move, (batch, moves), and of each token showing it, (batch, tokens, moves).

        `reply` marks the reply's tokens, (batch, tokens).
        """
        scores = self.weigh(states) @ self.query.T
        weights = scores.masked_fill(~reply[:, :, None], -1e4).softmax(1)
        pooled = torch.einsum("btm,btw->bmw", weights, states)
        whole = states[:, :1].expand(-1, len(MOVES), -1)
        logits = (torch.cat([pooled, whole], -1) * self.move).sum(-1) + self.move_bias
        return logits, self.span(states)

    def embed_points(self, ids: Tensor, mask: Tensor) -> Tensor:
        """One vector a story point, (points, width): the mean over its tokens."""
        states = self.read(ids, mask, torch.zeros_like(ids))
        kept = mask[:, :, None].to(states.dtype)
        return (states * kept).sum(1) / kept.sum(1)

    def points(self, states: Tensor, reply: Tensor, points: Tensor, row: Tensor) -> Tensor:
        """Logits that reply `row[i]` takes in point `points[i]`, (pairs,)."""
        mine, visible = states[row], reply[row]
        scores = (mine @ self.point_query(points)[:, :, None])[:, :, 0] / points.shape[-1] ** 0.5
        weights = scores.masked_fill(~visible, -1e4).softmax(1)
        pooled = (weights[:, :, None] * mine).sum(1)
        joined = torch.cat([points, pooled, points * pooled, mine[:, 0]], -1)
        out: Tensor = self.point(joined)[:, 0]
        return out


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

    def _tokens(self, text: str) -> Any:
        return self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
        )

    def __call__(self, reading: Reading) -> Encoded:
        said = self._tokens(reading.reply)
        ids, offsets = list(said.input_ids), [(int(a), int(b)) for a, b in said.offset_mapping]
        if len(ids) > REPLY_TOKENS:
            head, tail = REPLY_TOKENS // 2, REPLY_TOKENS - REPLY_TOKENS // 2
            ids, offsets = ids[:head] + ids[-tail:], offsets[:head] + offsets[-tail:]
        around = list(self._tokens(context_text(reading)).input_ids)[:CONTEXT_TOKENS]
        cls, sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return Encoded(
            ids=[cls, *ids, sep, *around, sep],
            types=[0] * (len(ids) + 2) + [1] * (len(around) + 1),
            reply_length=len(ids),
            offsets=offsets,
        )

    def point(self, point: StoryPoint) -> list[int]:
        """Token ids of a story point."""
        ids = list(self._tokens(point_text(point)).input_ids)[:POINT_TOKENS]
        return [self.tokenizer.cls_token_id, *ids, self.tokenizer.sep_token_id]


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of ids as one tensor with its mask, both (rows, longest)."""
    longest = max(map(len, rows))
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
        encoder = AutoModel.from_pretrained(base, use_safetensors=True, add_pooling_layer=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The evaluator's base in {base} cannot be loaded ({error}); delete that folder and retry"
        ) from error
    return tokenizer, encoder, int(encoder.config.hidden_size)


class TrainedJudge:
    """The default judge. `adapter` holds `reader.safetensors` (LoRA deltas and heads) and `reader.json` (thresholds)."""

    def __init__(self, base: Path, adapter: Path) -> None:
        weights, settings = adapter / "reader.safetensors", adapter / "reader.json"
        if not weights.is_file() or not settings.is_file():
            raise ModelError(f"The evaluator's adapter is missing in {adapter}; reinstall Defuse or train it again")
        self.settings = json.loads(settings.read_text())
        tokenizer, encoder, width = load_encoder(base)
        state = load_file(weights)
        _merge(encoder, {k: v for k, v in state.items() if k.startswith("lora.")}, float(self.settings["lora_scale"]))
        self._reader = Reader(encoder, width)
        missing, unknown = self._reader.load_state_dict(
            {k: v.float() for k, v in state.items() if not k.startswith("lora.")}, strict=False
        )
        if unknown or any(not k.startswith("encoder.") for k in missing):
            raise ModelError(f"The evaluator's adapter in {adapter} does not fit this version of Defuse; reinstall it")
        self._reader.eval()
        self._encoding = Encoding(tokenizer)
        self._points: dict[StoryPoint, Tensor] = {}
        self._lock = threading.Lock()
        self._thresholds = torch.tensor([self.settings["thresholds"][move.value] for move in MOVES])
        self._slope = torch.tensor([self.settings["calibration"][move.value] for move in MOVES])
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        self.name = f"{base.name}+{adapter.name}@{digest[:12]} rubric {self.settings['rubric']}"

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        """One judgement for each reading, in order. Raises JudgeError."""
        judged: dict[int, Judgement] = {}
        # Readings of like length go together, so that little of a batch is padding.
        encoded = [self._encoding(reading) for reading in readings]
        order = sorted(range(len(readings)), key=lambda i: len(encoded[i].ids))
        with self._lock, torch.inference_mode():
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                found = self._batch([readings[i] for i in chosen], [encoded[i] for i in chosen])
                judged |= dict(zip(chosen, found, strict=True))
        return [judged[i] for i in range(len(readings))]

    def _batch(self, readings: list[Reading], encoded: list[Encoded]) -> list[Judgement]:
        ids, mask, types, reply = batch_tensors(encoded)
        states = self._reader.read(ids, mask, types)
        logits, spans = self._reader.moves(states, reply)
        if not bool(torch.isfinite(logits).all()):
            raise JudgeError("The evaluator returned no numbers for this reply; send it again, or reword it")
        chances = (logits * self._slope[:, 0] + self._slope[:, 1]).sigmoid()
        taken = self._taken_in(readings, states, reply)
        return [
            self._verdict(reading.reply, one, chances[i], spans[i], taken[i])
            for i, (reading, one) in enumerate(zip(readings, encoded, strict=True))
        ]

    def _taken_in(self, readings: list[Reading], states: Tensor, reply: Tensor) -> list[tuple[str, ...]]:
        pairs = [(i, p) for i, reading in enumerate(readings) if reading.persona for p in reading.persona.story]
        taken: list[list[str]] = [[] for _ in readings]
        if pairs:
            self._embed({p for _, p in pairs})
            points = torch.stack([self._points[p] for _, p in pairs])
            row = torch.tensor([i for i, _ in pairs])
            chances = self._reader.points(states, reply, points, row).sigmoid()
            for (i, point), chance in zip(pairs, chances.tolist(), strict=True):
                if chance >= self.settings["point_threshold"]:
                    taken[i].append(point.id)
        return [tuple(ids) for ids in taken]

    def _embed(self, points: set[StoryPoint]) -> None:
        """Story points are read once and kept: they do not depend on the reply."""
        new = [point for point in points if point not in self._points]
        if len(self._points) > 5000:
            self._points.clear()
            new = list(points)
        if new:
            vectors = self._reader.embed_points(*padded([self._encoding.point(point) for point in new]))
            self._points |= dict(zip(new, vectors, strict=True))

    def _verdict(self, reply: str, one: Encoded, chances: Tensor, spans: Tensor, taken: tuple[str, ...]) -> Judgement:
        present = {move for move, over in zip(MOVES, (chances >= self._thresholds).tolist(), strict=True) if over}
        rival = {Move.SPECIFIC_EMPATHY, Move.GENERIC_SYMPATHY}
        if rival <= present:  # the two exclude each other; the likelier, each against its own threshold, stays
            margin = chances - self._thresholds
            present -= {min(rival, key=lambda move: float(margin[MOVES.index(move)]))}
        empathy = MOVES.index(Move.SPECIFIC_EMPATHY)
        unsure = self.settings["uncertain_within"]
        return Judgement(
            probabilities={move: round(float(chances[k]), 4) for k, move in enumerate(MOVES)},
            present=tuple(move for move in MOVES if move in present),
            acknowledged=taken,
            evidence={move: q for move in present if (q := _quote(reply, one, spans[:, MOVES.index(move)]))},
            uncertain=bool(abs(float(chances[empathy] - self._thresholds[empathy])) < unsure),
            judge=self.name,
        )


def _quote(reply: str, one: Encoded, scores: Tensor) -> str:
    """The clause whose tokens show the move most: a contiguous span of the reply."""
    best, quote = float("-inf"), ""
    mine = scores[1 : 1 + one.reply_length].sigmoid().tolist()
    for start, end in clauses(reply):
        inside = [s for s, (a, b) in zip(mine, one.offsets, strict=True) if a >= start and b <= end]
        if inside and sum(inside) / len(inside) > best:
            best, quote = sum(inside) / len(inside), reply[start:end].strip()
    return quote


def clauses(text: str) -> list[tuple[int, int]]:
    """Character spans of the sentences of a text; a text without stops is one."""
    spans, start = [], 0
    for i, char in enumerate(text):
        if char in ".!?\n" and (i + 1 == len(text) or text[i + 1].isspace()):
            spans.append((start, i + 1))
            start = i + 1
    return [(a, b) for a, b in [*spans, (start, len(text))] if text[a:b].strip()]


def _merge(encoder: nn.Module, lora: dict[str, Tensor], scale: float) -> None:
    """Add the low-rank deltas to the encoder's weights, in memory. Raises ModelError when they do not fit."""
    names = sorted({key.removeprefix("lora.").rsplit(".", 1)[0] for key in lora})
    for name in names:
        try:
            layer: Any = encoder.get_submodule(name)
            delta = lora[f"lora.{name}.B"].float() @ lora[f"lora.{name}.A"].float() * scale
            layer.weight.data.add_(delta)
        except (AttributeError, KeyError, RuntimeError) as error:
            raise ModelError(f"The evaluator's adapter does not fit its base at {name}; reinstall Defuse") from error
