"""BLIP as it was published (timm's and an early BERT's names) as transformers' modules."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import EnvironmentProblem

if TYPE_CHECKING:
    import torch

State = Mapping[str, "torch.Tensor"]

VISION, TEXT = "blip.visual_encoder.", "blip.text_encoder."
# Published names of the image transformer, as patterns, and transformers' names for them.
VISION_NAMES = {
    r"cls_token": "embeddings.class_embedding",
    r"pos_embed": "embeddings.position_embedding",
    r"patch_embed\.proj\.(.+)": r"embeddings.patch_embedding.\1",
    r"blocks\.(\d+)\.norm(\d)\.(.+)": r"encoder.layers.\1.layer_norm\2.\3",
    r"blocks\.(\d+)\.attn\.qkv\.(.+)": r"encoder.layers.\1.self_attn.qkv.\2",
    r"blocks\.(\d+)\.attn\.proj\.(.+)": r"encoder.layers.\1.self_attn.projection.\2",
    r"blocks\.(\d+)\.mlp\.(.+)": r"encoder.layers.\1.mlp.\2",
    r"norm\.(.+)": r"post_layernorm.\1",
}
POSITIONS = "embeddings.position_ids"
# Of every image transformer BLIP was published with; no file says so.
HEAD_WIDTH = 64
VISION_EPSILON = 1e-6
TEXT_SETTINGS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "hidden_act",
    "layer_norm_eps",
    "pad_token_id",
)


def part_of(state: State, prefix: str) -> dict[str, "torch.Tensor"]:
    """The weights whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)}


def vision_name(published: str) -> str:
    """transformers' name of a weight of the image transformer; unknown ones stay as they are."""
    for pattern, ours in VISION_NAMES.items():
        if re.fullmatch(pattern, published):
            return re.sub(pattern, ours, published)
    return published


def image_encoder(state: State, source: Path) -> Any:
    """transformers' `BlipVisionModel` with the published weights; sizes are read off them.

    Raises `EnvironmentProblem` for weights of another layout.
    """
    from transformers import BlipVisionConfig, BlipVisionModel

    published = part_of(state, VISION)
    sizes = ("pos_embed", "patch_embed.proj.weight", "blocks.0.mlp.fc1.weight")
    if missing := [VISION + name for name in sizes if name not in published]:
        raise _other_layout(source, missing, [])
    positions, patches, inner = (published[name] for name in sizes)
    width, patch_size = patches.shape[0], patches.shape[-1]
    config = BlipVisionConfig(
        hidden_size=width,
        intermediate_size=len(inner),
        num_hidden_layers=len({n.split(".")[1] for n in published if n.startswith("blocks.")}),
        num_attention_heads=width // HEAD_WIDTH,
        image_size=round((positions.shape[1] - 1) ** 0.5) * patch_size,
        patch_size=patch_size,
        layer_norm_eps=VISION_EPSILON,
    )
    renamed = {vision_name(name): tensor for name, tensor in published.items()}
    return _filled(BlipVisionModel, config, renamed, source)


def text_encoder(
    state: State,
    settings: Mapping[str, Any],
    source: Path,
    *,
    image_width: int,
) -> Any:
    """transformers' `BlipTextModel` with the published weights and med_config.json's `settings`.

    Raises `EnvironmentProblem` for weights of another layout.
    """
    import torch
    from transformers import BlipTextConfig, BlipTextModel

    if missing := [name for name in TEXT_SETTINGS if name not in settings]:
        raise _other_layout(source.with_name("med_config.json"), missing, [])
    # A "decoder" has cross-attention to the image; it is run without the causal mask.
    given: dict[str, Any] = {name: settings[name] for name in TEXT_SETTINGS}
    # The marks of generated text, of which there is none here.
    given |= dict.fromkeys(("bos_token_id", "eos_token_id", "sep_token_id"))
    config = BlipTextConfig(**given, encoder_hidden_size=image_width, is_decoder=True)
    published = part_of(state, TEXT)
    published.pop(POSITIONS, None)
    model = _filled(BlipTextModel, config, published, source, add_pooling_layer=False)
    model.embeddings.position_ids = torch.arange(config.max_position_embeddings)[None]
    return model


def _filled(
    kind: Any, config: Any, weights: dict[str, "torch.Tensor"], source: Path, **options: Any
) -> Any:
    import torch

    # Without storage, hence without random numbers for weights that are replaced anyway.
    with torch.device("meta"):
        model = kind(config, **options)
    try:
        found = model.load_state_dict(
            {name: tensor.float() for name, tensor in weights.items()}, strict=False, assign=True
        )
    except RuntimeError as error:
        raise EnvironmentProblem(
            f"{source}: expected weights in the shapes of {kind.__name__}, got others: {error}; "
            "use the published files"
        ) from error
    if found.missing_keys or found.unexpected_keys:
        raise _other_layout(source, found.missing_keys, found.unexpected_keys)
    return model.eval()


def _other_layout(source: Path, missing: list[str], unknown: list[str]) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{source}: expected the published layout, got {len(missing)} missing "
        f"({', '.join(missing[:3]) or 'none'}) and {len(unknown)} unknown names "
        f"({', '.join(unknown[:3]) or 'none'}); use the published file"
    )
