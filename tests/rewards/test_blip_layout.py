import json
from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import EnvironmentProblem
from rewards.blip_layout import image_encoder, text_encoder, vision_name
from rewards.tiny_models import BLIP_WIDTH, stand_in_folder

FOLDER = stand_in_folder("image-reward")
SOURCE = FOLDER / "ImageReward.pt"
SETTINGS: dict[str, Any] = json.loads((FOLDER / "med_config.json").read_text())


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(SOURCE)
    return loaded


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ("cls_token", "embeddings.class_embedding"),
        ("blocks.11.attn.proj.bias", "encoder.layers.11.self_attn.projection.bias"),
        ("blocks.3.norm2.weight", "encoder.layers.3.layer_norm2.weight"),
        ("norm.weight", "post_layernorm.weight"),
        ("head.weight", "head.weight"),
    ],
)
def test_names_of_the_image_transformer(published: str, ours: str) -> None:
    assert vision_name(published) == ours


def test_sizes_are_read_off_the_weights(state: dict[str, torch.Tensor]) -> None:
    config = image_encoder(state, SOURCE).config
    assert (config.hidden_size, config.num_attention_heads) == (128, 2)
    assert (config.image_size, config.patch_size, config.num_hidden_layers) == (8, 4, 2)


def test_loading_draws_no_random_number(state: dict[str, torch.Tensor]) -> None:
    before = torch.get_rng_state()
    image_encoder(state, SOURCE)
    text_encoder(state, SETTINGS, SOURCE, image_width=BLIP_WIDTH)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["pos_embed", "blocks.1.attn.qkv.bias"])
def test_a_missing_weight_is_named(state: dict[str, torch.Tensor], name: str) -> None:
    del state[f"blip.visual_encoder.{name}"]
    with pytest.raises(EnvironmentProblem, match="expected the published layout, got 1 missing"):
        image_encoder(state, SOURCE)


def test_an_unknown_weight_is_named(state: dict[str, torch.Tensor]) -> None:
    state["blip.text_encoder.pooler.dense.bias"] = torch.zeros(3)
    with pytest.raises(EnvironmentProblem, match=r"1 unknown names \(pooler.dense.bias\)"):
        text_encoder(state, SETTINGS, SOURCE, image_width=BLIP_WIDTH)


def test_settings_that_lack_a_size_or_belong_to_another_model_are_refused(
    state: dict[str, torch.Tensor],
) -> None:
    few = {name: value for name, value in SETTINGS.items() if name != "hidden_act"}
    with pytest.raises(EnvironmentProblem, match=r"med_config.json: .* 1 missing \(hidden_act\)"):
        text_encoder(state, few, SOURCE, image_width=BLIP_WIDTH)
    with pytest.raises(EnvironmentProblem, match="expected weights in the shapes of BlipTextModel"):
        text_encoder(state, SETTINGS | {"vocab_size": 30524}, SOURCE, image_width=BLIP_WIDTH)


def test_a_file_path_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"other.pt: .* got 3 missing"):
        image_encoder({}, tmp_path / "other.pt")
