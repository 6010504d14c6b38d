"""The evaluator's network: a small encoder whose one reading of a reply serves three questions.

Moves, by attention over the reply's tokens; the tokens that show each move (evidence); and whether the reply is speech to a
customer at all. (Story points are heard by an encoder of their own: points.py.)
"""

import torch
from torch import Tensor, nn

from simulator.moves import MOVES

SIGNALS = len(MOVES) + 1


class Reader(nn.Module):
    """Encoder and heads. `width` is the encoder's hidden size (384 for MiniLM).

    SIGNALS are the moves and, last, whether the reply is no speech to a customer at all but an attack on the reader.
    """

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.query = nn.Parameter(torch.randn(SIGNALS, width) * 0.02)
        self.weigh = nn.Linear(width, width)
        self.move = nn.Parameter(torch.randn(SIGNALS, 2 * width) * 0.02)
        self.move_bias = nn.Parameter(torch.full((SIGNALS,), -2.0))
        self.span = nn.Linear(width, len(MOVES))

    def read(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Token states, (batch, tokens, width)."""
        out: Tensor = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return out.to(self.query.dtype)

    def moves(self, states: Tensor, reply: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each signal, (batch, signals), and of each token showing a move, (batch, tokens, moves).

        `reply` marks the reply's tokens, (batch, tokens).
        """
        scores = self.weigh(states) @ self.query.T
        weights = scores.masked_fill(~reply[:, :, None], -1e4).softmax(1)
        pooled = torch.einsum("btm,btw->bmw", weights, states)
        whole = states[:, :1].expand(-1, SIGNALS, -1)
        logits = (torch.cat([pooled, whole], -1) * self.move).sum(-1) + self.move_bias
        return logits, self.span(states)


class Familiar:
    """Whether a reply is like those that the evaluator learnt from, by Mahalanobis distance (Lee et al., 2018).

    `whiten` is a root of the inverse covariance of the whole-reply states, (width, width); `within` the largest distance
    that is still familiar.
    """

    def __init__(self, mean: Tensor, whiten: Tensor, within: float) -> None:
        self._mean, self._whiten, self._within = mean.float(), whiten.float(), within

    def distance(self, states: Tensor) -> Tensor:
        """Distances of (batch, width) states, (batch,)."""
        out: Tensor = ((states.float() - self._mean) @ self._whiten).norm(dim=-1)
        return out

    def __call__(self, states: Tensor) -> Tensor:
        return self.distance(states) <= self._within
