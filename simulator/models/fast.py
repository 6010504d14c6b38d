"""A lean forward pass for Llama-shaped models on a CPU: the weights and arithmetic of the library's, without its overhead.

At batch 4 a step of a 135M model is bound by reading the weights once; in the library's own pass three other costs weigh more.
oneDNN re-orders every weight on every call, each new token copies the whole cache, and some fifty small operations a layer
cost more than the arithmetic. Here weights are joined (query, key and value; gate and up) and re-ordered once, keys and
values go into room set aside for them, and a layer takes about twenty operations.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu

EXPECTED_ROWS = 4  # oneDNN lays weights out for the batch that it will see most
GROW_BY = 128  # tokens of room at a time


@dataclass
class Cache:
    """Keys and values of all layers, (layers, rows, key heads, room, size), of which `filled` tokens are written."""

    keys: Tensor
    values: Tensor
    filled: int = 0

    def copy(self) -> "Cache":
        """The same tokens in memory of their own."""
        return self.repeat(1)

    def repeat(self, rows: int) -> "Cache":
        """A cache of one row as a cache of `rows`, with room to grow."""
        keys, values = (_roomy(states[:, :, :, : self.filled], rows) for states in (self.keys, self.values))
        return Cache(keys, values, self.filled)

    def reserve(self, tokens: int) -> None:
        """Make sure that `tokens` more fit."""
        if self.filled + tokens > self.keys.shape[3]:
            self.keys, self.values = (_roomy(s[:, :, :, : self.filled], 1, tokens) for s in (self.keys, self.values))


def _roomy(states: Tensor, rows: int, more: int = 0) -> Tensor:
    layers, had, heads, filled, size = states.shape
    room = states.new_empty((layers, had * rows, heads, filled + more + GROW_BY, size))
    room[:, :, :, :filled] = states
    return room


@dataclass(frozen=True)
class Layer:
    """One block's weights; the linear ones as oneDNN wants them."""

    before_attention: Tensor
    query_key_value: Tensor
    out: Tensor
    before_mlp: Tensor
    gate_up: Tensor
    down: Tensor


def fits(model: Any, device: str) -> bool:
    """Whether FastLlama can run `model` (transformers): plain Llama in bfloat16, on a CPU for which torch has oneDNN."""
    config = model.config
    return bool(
        device == "cpu"
        and config.model_type == "llama"
        and config.hidden_act == "silu"
        and not config.attention_bias
        and not config.mlp_bias
        and model.dtype is torch.bfloat16
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


class FastLlama:
    """Runs a loaded Llama model, whose linear weights it takes over: `model` itself cannot be used afterwards."""

    def __init__(self, model: Any) -> None:
        config, inner = model.config, model.model
        self._heads, self._groups = int(config.num_attention_heads), int(config.num_key_value_heads)
        self._size = int(getattr(config, "head_dim", None) or config.hidden_size // self._heads)
        self._epsilon = float(config.rms_norm_eps)
        self._rotate = inner.rotary_emb
        self._embedding: Tensor = inner.embed_tokens.weight.detach()
        self._layers = [self._take(layer) for layer in inner.layers]
        self._norm: Tensor = inner.norm.weight.detach()
        self._head = _packed(model.lm_head.weight)
        inner.layers = torch.nn.ModuleList()  # their memory goes

    @staticmethod
    def _take(layer: Any) -> Layer:
        attention, mlp = layer.self_attn, layer.mlp
        return Layer(
            before_attention=layer.input_layernorm.weight.detach(),
            query_key_value=_packed(attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight),
            out=_packed(attention.o_proj.weight),
            before_mlp=layer.post_attention_layernorm.weight.detach(),
            gate_up=_packed(mlp.gate_proj.weight, mlp.up_proj.weight),
            down=_packed(mlp.down_proj.weight),
        )

    def new_cache(self) -> Cache:
        """An empty cache of one row."""
        empty = self._embedding.new_empty((len(self._layers), 1, self._groups, 0, self._size))
        return Cache(empty, empty.clone())

    def __call__(self, ids: Tensor, cache: Cache) -> Tensor:
        """Read `ids`, (rows, tokens), behind what `cache` holds; logits after the last token, (rows, vocabulary), float32."""
        return self._score(self._read(ids, cache)[:, -1])

    def every(self, ids: Tensor, cache: Cache) -> Tensor:
        """The same with the logits after each token, (rows, tokens, vocabulary)."""
        return self._score(self._read(ids, cache))

    def _score(self, x: Tensor) -> Tensor:
        return _linear(self._normed(x, self._norm), self._head).float()

    def _read(self, ids: Tensor, cache: Cache) -> Tensor:
        rows, tokens = ids.shape
        start, end = cache.filled, cache.filled + tokens
        cache.reserve(tokens)
        x = self._embedding[ids]
        cos, sin = (part[:, None].to(x.dtype) for part in self._rotate(x, position_ids=torch.arange(start, end)[None]))
        # One token sees all that came before it; more see all before them and, among themselves, what is to their left.
        mask = torch.ones(tokens, end, dtype=torch.bool).tril(start) if tokens > 1 else None
        both = self._heads + self._groups
        for index, layer in enumerate(self._layers):
            states = _linear(self._normed(x, layer.before_attention), layer.query_key_value)
            states = states.view(rows, tokens, both + self._groups, self._size).transpose(1, 2)
            turned = states[:, :both]
            turned = turned * cos + _half_turn(turned) * sin
            keys, values = cache.keys[index], cache.values[index]
            keys[:, :, start:end], values[:, :, start:end] = turned[:, self._heads :], states[:, both:]
            seen = self._attend(turned[:, : self._heads], keys[:, :, :end], values[:, :, :end], mask)
            x = x + _linear(seen, layer.out)
            gate, up = _linear(self._normed(x, layer.before_mlp), layer.gate_up).chunk(2, -1)
            x = x + _linear(silu(gate) * up, layer.down)
        cache.filled = end
        return x

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        return rms_norm(x, weight.shape, weight, self._epsilon)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Grouped attention, (rows, tokens, heads times size); a single query by two plain products, the faster way."""
        rows, heads, tokens, size = query.shape
        if mask is not None:
            seen = scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)
            return seen.transpose(1, 2).reshape(rows, tokens, heads * size)
        grouped = query.reshape(rows, self._groups, heads // self._groups, size)
        weights = (grouped @ key.transpose(2, 3) * size**-0.5).float().softmax(-1).to(query.dtype)
        out: Tensor = (weights @ value).reshape(rows, 1, heads * size)
        return out


def _packed(*weights: Tensor) -> Tensor:
    """Weights of (out, in), joined along out and laid out for oneDNN."""
    joined = torch.cat([weight.detach() for weight in weights])
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(joined, EXPECTED_ROWS)
    return packed


def _linear(x: Tensor, packed: Tensor) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
    return out


def _half_turn(x: Tensor) -> Tensor:
    """The two halves of the last dimension changed over, the second negated (Su et al., 2021)."""
    first, second = x.chunk(2, -1)
    return torch.cat([-second, first], -1)
