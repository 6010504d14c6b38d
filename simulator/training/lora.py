"""Low-rank adapters on a frozen encoder (Hu et al., 2021)."""

import math

import torch
from torch import Tensor, nn

RANK, ALPHA = 32, 64
FROZEN_BLOCKS = 2


class Lora(nn.Module):
    """A frozen linear layer with a trained low-rank delta (Hu et al., 2021)."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.A = nn.Parameter(torch.randn(RANK, layer.in_features) / math.sqrt(layer.in_features))
        self.B = nn.Parameter(torch.zeros(layer.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output plus the scaled delta."""
        out: Tensor = self.layer(x) + (x @ self.A.T @ self.B.T) * (ALPHA / RANK)
        return out


def add_lora(encoder: nn.Module) -> dict[str, Lora]:
    """Freeze the encoder and wrap each linear layer of its upper blocks; returned by name.

    The lowest blocks stay as they are: what they read is general, and the backward pass can stop above them.
    """
    for parameter in encoder.parameters():
        parameter.requires_grad = False
    upper = tuple(f"encoder.layer.{block}." for block in range(FROZEN_BLOCKS, 12))
    found = {name: m for name, m in encoder.named_modules() if isinstance(m, nn.Linear) and name.startswith(upper)}
    wrapped = {}
    for name, layer in found.items():
        parent, _, leaf = name.rpartition(".")
        wrapped[name] = Lora(layer)
        setattr(encoder.get_submodule(parent), leaf, wrapped[name])
    return wrapped
