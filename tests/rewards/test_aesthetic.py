from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from data.errors import EnvironmentProblem
from data.images import image_table
from data.published_weights import PublishedWeights
from rewards.aesthetic import HEAD_FILES, HEADS, AestheticConfig, AestheticReward, load_head
from rewards.tiny_models import CLIP_IMAGE, stand_in_folder, stand_in_weights
from tests.rewards.plain_networks import clip_image, linear, normalised

LAYERS = {1: [""], 2: ["layers.0", "layers.2", "layers.4", "layers.6", "layers.7"]}
IMAGES = np.random.default_rng(4).integers(0, 256, (5, CLIP_IMAGE, CLIP_IMAGE, 3), dtype=np.uint8)


def plain_head(state: dict[str, torch.Tensor], version: int, x: torch.Tensor) -> torch.Tensor:
    if version == 1:
        return (x @ state["weight"].double().T + state["bias"].double())[:, 0]
    for layer in LAYERS[2]:
        x = linear(state, layer, x)
    return x[:, 0]


@pytest.mark.parametrize("version", [1, 2])
def test_score_is_the_head_of_the_embedding_divided_by_its_length(version: int) -> None:
    example = AestheticReward.example().config
    folder = stand_in_folder("aesthetic")
    head = stand_in_weights(HEADS[version], folder, (HEAD_FILES[version],))
    reward = AestheticReward(example.model_copy(update={"version": version, "head": head}))
    backbone = load_file(f"{example.backbone.folder}/model.safetensors")
    embeddings = clip_image(backbone, normalised(IMAGES), num_heads=2)
    unit = embeddings / embeddings.square().sum(dim=1, keepdim=True).sqrt()
    wanted = plain_head(torch.load(folder / HEAD_FILES[version]), version, unit)
    scores = reward(image_table(IMAGES))
    np.testing.assert_allclose(scores, wanted.numpy(), rtol=1e-6)
    assert scores.std() > 1e-3


def test_the_published_second_version_gives_plausible_scores(shared_data: Path) -> None:
    folder = shared_data / "weights"
    published = HEADS[2]
    given = PublishedWeights(
        host="github",
        repo=published.repo,
        revision=published.revision,
        folder=str(folder),
        sha256=published.sha256,
    )
    config = AestheticConfig(version=2, head=given)
    assert config.uses_published_weights
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(2000, 768, generator=generator, dtype=torch.float64)
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    scores = load_head(folder, 2, "cpu")(unit.float())
    assert torch.isfinite(scores).all()
    assert 1 < scores.min() < scores.max() < 10
    state = torch.load(folder / HEAD_FILES[2], map_location="cpu", weights_only=True)
    np.testing.assert_allclose(scores.numpy(), plain_head(state, 2, unit).numpy(), rtol=1e-5)
    # The head is one direction w and an offset b, and directions are uniform: b +- |w| / sqrt(768).
    offset = plain_head(state, 2, torch.zeros(1, 768).double())
    direction = plain_head(state, 2, torch.eye(768).double()) - offset
    spread = float(direction.norm()) / 768**0.5
    assert 4.6 < float(offset) < 5.5
    assert abs(float(scores.mean() - offset)) < 4 * spread / 2000**0.5
    assert abs(float(scores.std()) / spread - 1) < 0.1


def test_only_the_published_weights_of_the_version_count_as_published() -> None:
    assert AestheticConfig().uses_published_weights
    assert AestheticConfig(version=2).uses_published_weights
    assert AestheticConfig(version=2, head=HEADS[2]).uses_published_weights
    assert not AestheticConfig(version=1, head=HEADS[2]).uses_published_weights
    assert not AestheticReward.example().config.uses_published_weights


@pytest.mark.parametrize("version", [1, 2])
def test_a_web_page_is_no_head(version: int, tmp_path: Path) -> None:
    (tmp_path / HEAD_FILES[version]).write_text("<!DOCTYPE html><html></html>")
    text = "reward aesthetic: expected tensors .*, got a file that torch refuses .*; use the publ"
    with pytest.raises(EnvironmentProblem, match=text):
        load_head(tmp_path, version, "cpu")
