"""Which story points a reply takes in: an encoder of its own reads the reply beside each point (a cross-encoder; Nogueira
and Cho, 2019).

A point is only taken in by a reply that shows understanding, so only those that do are read; and such a reply nearly always
means some point, so the likeliest one has less to prove than a second.
"""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from simulator.models.encoding import Encoded, Encoding, padded
from simulator.moves import Move
from simulator.persona import StoryPoint

TAKE_IN = frozenset((Move.SPECIFIC_EMPATHY, Move.RESTATEMENT, Move.OWNERSHIP))
BATCH = 32  # pairs


class PointReader(nn.Module):
    """Encoder and head. `width` is the encoder's hidden size (384 for MiniLM)."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 1))

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Logits that the reply (type 0) takes in the point beside it (type 1), (pairs,); all arguments (pairs, tokens)."""
        out: Tensor = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        states = out.to(next(self.head.parameters()).dtype)
        point = types[:, :, None].to(states.dtype)
        reply = mask[:, :, None] - point
        means = [(states * part).sum(1) / part.sum(1) for part in (point, reply)]
        logits: Tensor = self.head(torch.cat([states[:, 0], *means], -1))
        return logits[:, 0]


def pair_tensors(pairs: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    """ids, mask and types of pairs as `Encoding.pair` gives them, each (pairs, tokens)."""
    ids, mask = padded([reply + point for reply, point in pairs])
    types, _ = padded([[0] * len(reply) + [1] * len(point) for reply, point in pairs])
    return ids, mask, types


def taken(chances: Sequence[float], threshold: float, first: float) -> list[bool]:
    """Which points a reply that shows understanding takes in: all over `threshold`, and the likeliest if over `first`."""
    best = max(chances, default=0.0)
    return [chance >= threshold or (chance == best and chance >= first) for chance in chances]


class Hearing:
    """Which points each reply of a batch takes in. Not safe for several threads at once; its owner holds a lock."""

    def __init__(self, reader: PointReader, encoding: Encoding, threshold: float, first: float) -> None:
        self._reader = reader
        self._encoding = encoding
        self._threshold, self._first = threshold, first

    def taken_in(
        self, replies: Sequence[tuple[Encoded, Sequence[StoryPoint], Collection[Move]]]
    ) -> list[tuple[str, ...]]:
        """Ids of the points that each reply takes in; a reply comes with its customer's story and the moves that it makes."""
        pairs = [
            (i, point, self._encoding.pair(encoded, point))
            for i, (encoded, story, moves) in enumerate(replies)
            if not TAKE_IN.isdisjoint(moves)
            for point in story
        ]
        pairs.sort(key=lambda one: len(one[2][0]) + len(one[2][1]))  # so that little of a batch is padding
        chances: list[dict[str, float]] = [{} for _ in replies]
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            found = self._reader(*pair_tensors([tokens for _, _, tokens in batch])).sigmoid().tolist()
            for (i, point, _), chance in zip(batch, found, strict=True):
                chances[i][point.id] = chance
        return [
            tuple(p.id for p, yes in zip(story, taken(mine, self._threshold, self._first), strict=True) if yes)
            if (mine := [found[p.id] for p in story if p.id in found])
            else ()
            for (_, story, _), found in zip(replies, chances, strict=True)
        ]
