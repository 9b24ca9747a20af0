import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from data.errors import EnvironmentProblem
from data.images import image_table
from data.published_weights import PublishedWeights
from rewards.pick_score import MODEL, MODEL_FILES, PickScoreConfig, PickScoreReward
from rewards.tiny_models import CLIP_IMAGE, stand_in_weights, write_clip
from tests.rewards.plain_networks import clip_image, clip_text, normalised

EXAMPLE = PickScoreReward.example().config
IMAGES = np.random.default_rng(3).integers(0, 256, (5, CLIP_IMAGE, CLIP_IMAGE, 3), dtype=np.uint8)


def changed(**values: object) -> PickScoreReward:
    return PickScoreReward(EXAMPLE.model_copy(update=values))


def tiny_state() -> dict[str, torch.Tensor]:
    return load_file(f"{EXAMPLE.model.folder}/model.safetensors")


def ids_of(prompt: str) -> list[int]:
    """Token numbers by CLIP's rule: letters, the last of a word marked, between two marks."""
    words: dict[str, int] = json.loads(Path(f"{EXAMPLE.model.folder}/vocab.json").read_text())
    letters = [[*word[:-1], f"{word[-1]}</w>"] for word in prompt.split()]
    inside = [words[letter] for word in letters for letter in word]
    return [words["<|startoftext|>"], *inside, words["<|endoftext|>"]]


@pytest.mark.parametrize("prompt", ["a photo", "two red cats"])
def test_score_is_the_scaled_cosine_of_image_and_text_embedding(prompt: str) -> None:
    state = tiny_state()
    image = clip_image(state, normalised(IMAGES), num_heads=2)
    text = clip_text(state, ids_of(prompt), num_heads=2)
    cosine = torch.nn.functional.cosine_similarity(image, text[None])
    wanted = state["logit_scale"].double().exp() * cosine
    scores = changed(prompt=prompt)(image_table(IMAGES))
    np.testing.assert_allclose(scores, wanted.numpy(), rtol=1e-5, atol=1e-5)
    assert scores.std() > 0.01


def test_gamma_multiplies_the_score_and_the_batch_size_changes_nothing() -> None:
    samples = image_table(IMAGES)
    scores = PickScoreReward(EXAMPLE)(samples)
    np.testing.assert_allclose(changed(gamma=2.5)(samples), 2.5 * scores, rtol=1e-12)
    np.testing.assert_allclose(changed(batch_size=2)(samples), scores, rtol=1e-5)


def test_a_model_without_some_weights_is_refused_rather_than_filled_at_random(
    tmp_path: Path,
) -> None:
    write_clip(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state["visual_projection.weight"]
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    reward = changed(model=stand_in_weights(MODEL, tmp_path, MODEL_FILES))
    with pytest.raises(EnvironmentProblem, match=r"got no visual_projection.weight \(1 missing\)"):
        reward(image_table(IMAGES))


def test_a_model_of_other_shapes_than_its_configuration_is_refused(tmp_path: Path) -> None:
    write_clip(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"projection_dim": 7}))
    reward = changed(model=stand_in_weights(MODEL, tmp_path, MODEL_FILES))
    with pytest.raises(EnvironmentProblem, match="expected the weights of the CLIP model that its"):
        reward(image_table(IMAGES))


def test_only_the_published_weights_count_as_published() -> None:
    assert PickScoreConfig().uses_published_weights
    assert not EXAMPLE.uses_published_weights
    other = PublishedWeights(repo=MODEL.repo, revision="0" * 40)
    assert not PickScoreConfig(model=other).uses_published_weights


def test_missing_weights_can_be_noticed_before_anything_is_scored(tmp_path: Path) -> None:
    folders = PickScoreReward(EXAMPLE).fetch()
    assert folders == (Path(EXAMPLE.model.folder or ""), Path(EXAMPLE.processor.folder or ""))
    moved = EXAMPLE.processor.model_copy(update={"folder": str(tmp_path)})
    with pytest.raises(EnvironmentProblem, match="got no vocab.json, merges.txt"):
        changed(processor=moved).fetch()


def test_the_prompt_is_recorded() -> None:
    assert PickScoreConfig().fingerprint_part()["prompt"] == "a photo"
