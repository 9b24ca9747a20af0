"""CLIP and BLIP written out from the names and shapes they were published with, for comparison.

b rows, t tokens, s tokens that are looked at, D width, heads of D / num_heads each.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

State = Mapping[str, Tensor]

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711])


def normalised(
    images: npt.NDArray[np.uint8],  # (b, S, S, 3)
) -> Tensor:  # (b, 3, S, S)
    """What the published models see of images that have their size already."""
    return ((torch.tensor(images) / 255 - MEAN) / DEVIATION).permute(0, 3, 1, 2).double()


def linear(state: State, name: str, x: Tensor) -> Tensor:
    """x W^T + b, without b where there is none."""
    product = x @ state[f"{name}.weight"].double().T
    return product + state[f"{name}.bias"].double() if f"{name}.bias" in state else product


def norm(state: State, name: str, x: Tensor, epsilon: float) -> Tensor:
    """Layer norm over the last axis."""
    centred = x - x.mean(dim=-1, keepdim=True)
    scaled = centred / (centred.square().mean(dim=-1, keepdim=True) + epsilon).sqrt()
    return scaled * state[f"{name}.weight"].double() + state[f"{name}.bias"].double()


def attended(
    queries: Tensor,  # (b, t, D)
    keys: Tensor,  # (b, s, D)
    values: Tensor,  # (b, s, D)
    num_heads: int,
    hidden: Tensor | None = None,  # (t, s) or (s,), true where nobody looks
) -> Tensor:  # (b, t, D)
    """Softmax attention, head after head."""
    width = queries.shape[-1] // num_heads
    heads = []
    for head in range(num_heads):
        own = slice(head * width, (head + 1) * width)
        match = queries[..., own] @ keys[..., own].transpose(1, 2) / width**0.5
        if hidden is not None:
            match = match.masked_fill(hidden, -torch.inf)
        heads.append(match.softmax(dim=-1) @ values[..., own])
    return torch.cat(heads, dim=-1)


def patches_of(images: Tensor, weight: Tensor) -> Tensor:
    """Each patch of the image times the kernel, row after row of patches: (b, patches, D)."""
    size = weight.shape[-1]
    rows = range(0, images.shape[2], size)
    cut = [images[:, :, y : y + size, x : x + size].flatten(1) for y in rows for x in rows]
    return torch.stack(cut, dim=1) @ weight.double().flatten(1).T


def gelu(x: Tensor) -> Tensor:
    """x Phi(x)."""
    return x * (1 + torch.erf(x / 2**0.5)) / 2


def quick_gelu(x: Tensor) -> Tensor:
    """x sigmoid(1.702 x), which CLIP uses."""
    return x * torch.sigmoid(1.702 * x)


def clip_image(state: State, images: Tensor, num_heads: int) -> Tensor:
    """CLIP's image embedding, not normalised."""
    name = "vision_model"
    patches = patches_of(images, state[f"{name}.embeddings.patch_embedding.weight"])
    first = state[f"{name}.embeddings.class_embedding"].double().expand(len(images), 1, -1)
    x = torch.cat([first, patches], dim=1)
    x = x + state[f"{name}.embeddings.position_embedding.weight"].double()
    x = norm(state, f"{name}.pre_layrnorm", x, 1e-5)
    x = clip_layers(state, name, x, num_heads, None)
    pooled = norm(state, f"{name}.post_layernorm", x[:, 0], 1e-5)
    return linear(state, "visual_projection", pooled)


def clip_text(state: State, ids: list[int], num_heads: int) -> Tensor:
    """CLIP's embedding of a text that ends with its last mark, not normalised."""
    name = "text_model"
    x = state[f"{name}.embeddings.token_embedding.weight"].double()[ids]
    x = x + state[f"{name}.embeddings.position_embedding.weight"].double()[: len(ids)]
    later = torch.ones(len(ids), len(ids), dtype=torch.bool).triu(1)
    x = clip_layers(state, name, x[None], num_heads, later)
    return linear(state, "text_projection", norm(state, f"{name}.final_layer_norm", x[0, -1], 1e-5))


def clip_layers(
    state: State, name: str, x: Tensor, num_heads: int, hidden: Tensor | None
) -> Tensor:
    """The layers of either half of CLIP: norm first, then attention, then the inner layer."""
    for layer in layers_of(state, f"{name}.encoder.layers"):
        y = norm(state, f"{layer}.layer_norm1", x, 1e-5)
        parts = [linear(state, f"{layer}.self_attn.{part}_proj", y) for part in "qkv"]
        mixed = attended(parts[0], parts[1], parts[2], num_heads, hidden)
        x = x + linear(state, f"{layer}.self_attn.out_proj", mixed)
        x = x + inner(
            state, f"{layer}.mlp", norm(state, f"{layer}.layer_norm2", x, 1e-5), quick_gelu
        )
    return x


def blip_image(state: State, images: Tensor, num_heads: int) -> Tensor:  # (b, 1 + patches, D)
    """States of BLIP's image transformer (timm's names)."""
    name = "blip.visual_encoder"
    patches = patches_of(images, state[f"{name}.patch_embed.proj.weight"])
    patches = patches + state[f"{name}.patch_embed.proj.bias"].double()
    first = state[f"{name}.cls_token"].double().expand(len(images), 1, -1)
    x = torch.cat([first, patches], dim=1) + state[f"{name}.pos_embed"].double()
    for block in layers_of(state, f"{name}.blocks"):
        y = linear(state, f"{block}.attn.qkv", norm(state, f"{block}.norm1", x, 1e-6))
        queries, keys, values = y.chunk(3, dim=-1)
        mixed = attended(queries, keys, values, num_heads)
        x = x + linear(state, f"{block}.attn.proj", mixed)
        x = x + inner(state, f"{block}.mlp", norm(state, f"{block}.norm2", x, 1e-6), gelu)
    return norm(state, f"{name}.norm", x, 1e-6)


def blip_text(
    state: State,
    ids: list[int],
    seen: list[bool],
    patches: Tensor,  # (b, s, E)
    num_heads: int,
) -> Tensor:  # (b, t, D)
    """States of BLIP's text encoder (an early BERT's names), looking at the image too.

    `seen` tells words from padding.
    """
    name = "blip.text_encoder"
    x = state[f"{name}.embeddings.word_embeddings.weight"].double()[ids]
    x = x + state[f"{name}.embeddings.position_embeddings.weight"].double()[: len(ids)]
    x = norm(state, f"{name}.embeddings.LayerNorm", x, 1e-12).expand(len(patches), -1, -1)
    padding = ~torch.tensor(seen)
    for layer in layers_of(state, f"{name}.encoder.layer"):
        for part, looked_at, hidden in (
            ("attention", None, padding),
            ("crossattention", patches, None),
        ):
            source = x if looked_at is None else looked_at
            queries = linear(state, f"{layer}.{part}.self.query", x)
            keys = linear(state, f"{layer}.{part}.self.key", source)
            values = linear(state, f"{layer}.{part}.self.value", source)
            mixed = attended(queries, keys, values, num_heads, hidden)
            mixed = linear(state, f"{layer}.{part}.output.dense", mixed)
            x = norm(state, f"{layer}.{part}.output.LayerNorm", x + mixed, 1e-12)
        y = linear(
            state, f"{layer}.output.dense", gelu(linear(state, f"{layer}.intermediate.dense", x))
        )
        x = norm(state, f"{layer}.output.LayerNorm", x + y, 1e-12)
    return x


def inner(state: State, name: str, x: Tensor, bend: Callable[[Tensor], Tensor]) -> Tensor:
    """The inner layer of a transformer."""
    return linear(state, f"{name}.fc2", bend(linear(state, f"{name}.fc1", x)))


def layers_of(state: State, name: str) -> list[str]:
    """Names of the numbered layers under `name`, in order."""
    places = name.count(".") + 1
    numbers = {int(key.split(".")[places]) for key in state if key.startswith(f"{name}.")}
    return [f"{name}.{number}" for number in sorted(numbers)]
