"""Llama written out from the names and shapes of its weights, one text at a time.

t tokens, D width, heads of D / num_heads each, several of them to one head of keys and values.
"""

import torch
from torch import Tensor

from tests.rewards.plain_networks import State, linear

EPSILON = 1e-6
BASE = 10_000.0


def llama_states(
    state: State,
    ids: list[int],  # t
    *,
    num_heads: int,
) -> Tensor:  # (t, D)
    """Last states after the final norm, in double precision."""
    x = state["model.embed_tokens.weight"][ids].double()
    num_layers = 1 + max(int(one.split(".")[2]) for one in state if one.startswith("model.layers."))
    for layer in (f"model.layers.{number}" for number in range(num_layers)):
        normed = _scaled(state, f"{layer}.input_layernorm", x)
        x = x + _attention(state, f"{layer}.self_attn", normed, num_heads)
        inner = _scaled(state, f"{layer}.post_attention_layernorm", x)
        gate = torch.nn.functional.silu(linear(state, f"{layer}.mlp.gate_proj", inner))
        up = linear(state, f"{layer}.mlp.up_proj", inner)
        x = x + linear(state, f"{layer}.mlp.down_proj", gate * up)
    return _scaled(state, "model.norm", x)


def _scaled(state: State, name: str, x: Tensor) -> Tensor:
    """x over its root mean square."""
    return x / (x.square().mean(dim=-1, keepdim=True) + EPSILON).sqrt() * state[f"{name}.weight"]


def _attention(state: State, name: str, x: Tensor, num_heads: int) -> Tensor:
    width = x.shape[1] // num_heads
    queries, keys, values = (
        linear(state, f"{name}.{part}_proj", x).reshape(len(x), -1, width) for part in "qkv"
    )
    later = torch.ones(len(x), len(x)).triu(1).bool()
    heads = []
    for head in range(num_heads):
        shared = head * keys.shape[1] // num_heads
        match = _turned(queries[:, head]) @ _turned(keys[:, shared]).T / width**0.5
        heads.append(match.masked_fill(later, -torch.inf).softmax(dim=1) @ values[:, shared])
    return linear(state, f"{name}.o_proj", torch.cat(heads, dim=1))


def _turned(x: Tensor) -> Tensor:
    """Rotary positions: numbers i and i + half of a head turn by place / BASE^(i / half)."""
    half = x.shape[1] // 2
    angles = torch.arange(len(x)).double()[:, None] / BASE ** (torch.arange(half) / half)
    first, second = x[:, :half], x[:, half:]
    turned = (first * angles.cos() - second * angles.sin(),
              second * angles.cos() + first * angles.sin())  # fmt: skip
    return torch.cat(turned, dim=1)
