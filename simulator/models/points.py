"""Which story points a reply takes in: an encoder of its own, tuned to hear one thing said in two ways.

Reply and story point are read apart. Each point, as one vector, looks for its like among the reply's words; what it finds is
held against it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from simulator.judge import Reading
from simulator.models.encoding import Encoding, padded
from simulator.persona import StoryPoint


class PointReader(nn.Module):
    """Encoder and head. `width` is the encoder's hidden size (384 for MiniLM)."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.query = nn.Linear(width, width)
        self.judge = nn.Sequential(nn.Linear(4 * width, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 1))

    def read(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Token states, (batch, tokens, width)."""
        out: Tensor = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return out.to(self.query.weight.dtype)

    def embed(self, ids: Tensor, mask: Tensor) -> Tensor:
        """One vector a story point, (points, width): the mean over its tokens."""
        states = self.read(ids, mask, torch.zeros_like(ids))
        kept = mask[:, :, None].to(states.dtype)
        return (states * kept).sum(1) / kept.sum(1)

    def forward(self, states: Tensor, reply: Tensor, points: Tensor, row: Tensor) -> Tensor:
        """Logits that reply `row[i]` takes in the story point with vector `points[i]`, (pairs,).

        `states` are of the replies in their context, (batch, tokens, width); `reply` marks the replies' own tokens.
        """
        mine, visible = states[row], reply[row]
        scores = (mine @ self.query(points)[:, :, None])[:, :, 0] / points.shape[-1] ** 0.5
        weights = scores.masked_fill(~visible, -1e4).softmax(1)
        found = (weights[:, :, None] * mine).sum(1)
        out: Tensor = self.judge(torch.cat([points, found, points * found, mine[:, 0]], -1))
        return out[:, 0]


class Hearing:
    """Which points each reply of a batch takes in. Not safe for several threads at once; its owner holds a lock."""

    def __init__(self, reader: PointReader, encoding: Encoding, threshold: float) -> None:
        self._reader = reader
        self._encoding = encoding
        self._threshold = threshold
        self._known: dict[StoryPoint, Tensor] = {}

    def taken_in(
        self, readings: Sequence[Reading], ids: Tensor, mask: Tensor, types: Tensor, reply: Tensor
    ) -> list[tuple[str, ...]]:
        """Ids of the points over the threshold, for each reading; the tensors are those of `batch_tensors`."""
        pairs = [(i, p) for i, reading in enumerate(readings) if reading.persona for p in reading.persona.story]
        taken: list[list[str]] = [[] for _ in readings]
        if pairs:
            self._learn({p for _, p in pairs})
            points = torch.stack([self._known[p] for _, p in pairs])
            states, row = self._reader.read(ids, mask, types), torch.tensor([i for i, _ in pairs])
            chances = self._reader(states, reply, points, row).sigmoid()
            for (i, point), chance in zip(pairs, chances.tolist(), strict=True):
                if chance >= self._threshold:
                    taken[i].append(point.id)
        return [tuple(found) for found in taken]

    def _learn(self, points: set[StoryPoint]) -> None:
        """Story points are read once and kept: they do not depend on the reply."""
        if len(self._known) > 5000:  # 1.5 kB each
            self._known.clear()
        if new := [point for point in points if point not in self._known]:
            vectors = self._reader.embed(*padded([self._encoding.point(point) for point in new]))
            self._known |= dict(zip(new, vectors, strict=True))
