"""Which story points a reply takes in: an encoder of its own reads the reply, what the customer told, and the story's points
side by side, so that a point is weighed against its neighbours (a cross-encoder; Nogueira and Cho, 2019).

The same reading tells whether the reply means this customer at all: the finest line earns nothing when it is another's.

A point is only taken in by a reply that shows understanding, so only those that do are read; and such a reply nearly always
means some point, so the likeliest one has less to prove than a second.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from simulator.models.encoding import FIRST_POINT, PADDING, REPLY, Encoded, Encoding, padded, rounded
from simulator.moves import Move
from simulator.persona import StoryPoint

TAKE_IN = frozenset((Move.SPECIFIC_EMPATHY, Move.RESTATEMENT, Move.OWNERSHIP))
TOGETHER = 6  # story points in one reading, so that all fit the encoder's 512 positions
ATTENTION = "sdpa"  # a story is long: a third faster to train on
BATCH = 8  # readings of a reply beside a story
CUTS = ("threshold", "first", "meant_over")


class Beside(NamedTuple):
    """Logits of readings of a reply beside story points: that it takes in each point, (readings, most points), and that it
    means this customer, (readings,). Where a reading has fewer points than another, its last ones mean nothing."""

    points: Tensor
    meant: Tensor


class PointReader(nn.Module):
    """Encoder and heads. `width` is the encoder's hidden size (384 for MiniLM)."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head, self.meant = _head(3 * width, width), _head(2 * width, width)

    def forward(self, ids: Tensor, marks: Tensor) -> Beside:
        """What the reply means of what stands beside it; both arguments (readings, tokens)."""
        mask, types = (marks != PADDING).long(), (marks > REPLY).long()
        out: Tensor = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        states = out.to(next(self.head.parameters()).dtype)
        most = max(int(marks.max()) - FIRST_POINT + 1, 1)
        wanted = torch.tensor([REPLY, *range(FIRST_POINT, FIRST_POINT + most)])
        parts = (marks[:, None, :] == wanted[None, :, None]).to(states.dtype)
        means = parts @ states / parts.sum(-1, keepdim=True).clamp(min=1.0)
        whole = torch.stack([states[:, 0], means[:, 0]], 1).flatten(1)
        points: Tensor = self.head(torch.cat([whole[:, None].expand(-1, most, -1), means[:, 1:]], -1))
        return Beside(points[..., 0], self.meant(whole)[..., 0])


def _head(inner: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inner, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 1))


def story_tensors(readings: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
    """ids and marks of readings as `Encoding.beside` gives them, each (readings, tokens)."""
    return padded([ids for ids, _ in readings])[0], padded([marks for _, marks in readings])[0]


def together(points: Sequence[StoryPoint]) -> list[Sequence[StoryPoint]]:
    """The points of a story in as few groups, of as like size, as TOGETHER allows."""
    groups = -(-len(points) // TOGETHER)
    return [points[i * len(points) // groups : (i + 1) * len(points) // groups] for i in range(groups)]


def taken(chances: Sequence[float], threshold: float, first: float) -> list[bool]:
    """Which points a reply that shows understanding takes in: all over `threshold`, and the likeliest if over `first`."""
    best = max(chances, default=0.0)
    return [chance >= threshold or (chance == best and chance >= first) for chance in chances]


class Heard(NamedTuple):
    """A reply to be held against a story: its tokens, what the customer told, the story, and the moves that it makes."""

    encoded: Encoded
    said: str
    story: Sequence[StoryPoint]
    moves: Collection[Move]


class Taken(NamedTuple):
    """Ids of the points that a reply takes in, and whether it seems to mean another customer."""

    points: tuple[str, ...]
    strange: bool


class Hearing:
    """Which points each reply takes in. Not safe for several threads at once; its owner holds a lock.

    `cuts`: "threshold" and "first" as in `taken`; a reply whose chance to mean this customer is under "meant_over" is strange.
    """

    def __init__(self, reader: PointReader, encoding: Encoding, cuts: Mapping[str, float]) -> None:
        self._reader = reader
        self._encoding = encoding
        self._threshold, self._first, self._meant = (float(cuts[name]) for name in CUTS)

    def taken_in(self, replies: Sequence[Heard]) -> list[Taken]:
        """What each reply takes in, in order; like lengths are read together."""
        readings = [
            (i, points, self._encoding.beside(one.encoded, one.said, points))
            for i, one in enumerate(replies)
            if not TAKE_IN.isdisjoint(one.moves)
            for points in together(one.story)
        ]
        readings.sort(key=lambda one: len(one[2][0]))
        chances: list[dict[str, float]] = [{} for _ in replies]
        meant: dict[int, float] = {}  # by any part of the story
        for start in range(0, len(readings), BATCH):
            batch = readings[start : start + BATCH]
            found = self._reader(*story_tensors(rounded([tokens for _, _, tokens in batch])))
            read = zip(found.points.sigmoid().tolist(), found.meant.sigmoid().tolist(), strict=True)
            for (i, points, _), (mine, this) in zip(batch, read, strict=False):
                chances[i] |= {point.id: chance for point, chance in zip(points, mine, strict=False)}
                meant[i] = max(this, meant.get(i, 0.0))
        return [
            Taken(self._over(one.story, mine), strange=meant.get(i, 1.0) < self._meant)
            for i, (one, mine) in enumerate(zip(replies, chances, strict=True))
        ]

    def _over(self, story: Sequence[StoryPoint], chances: dict[str, float]) -> tuple[str, ...]:
        read = [point.id for point in story if point.id in chances]
        over = taken([chances[name] for name in read], self._threshold, self._first)
        return tuple(name for name, yes in zip(read, over, strict=True) if yes)
