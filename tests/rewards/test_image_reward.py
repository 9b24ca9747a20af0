from pathlib import Path

import numpy as np
import pytest
import torch

from data.images import image_table
from rewards.image_reward import ImageRewardConfig, ImageRewardReward
from rewards.tiny_models import BLIP_IMAGE, TEXT_HEADS
from tests.rewards.plain_networks import blip_image, blip_text, linear, normalised

EXAMPLE = ImageRewardReward.example().config
IMAGES = np.random.default_rng(5).integers(0, 256, (5, BLIP_IMAGE, BLIP_IMAGE, 3), dtype=np.uint8)


def changed(**values: object) -> ImageRewardReward:
    return ImageRewardReward(EXAMPLE.model_copy(update=values))


def padded_ids(prompt: str) -> tuple[list[int], list[bool]]:
    """Token numbers by BERT's rule for words of known letters, padded to 35 as published."""
    words = Path(f"{EXAMPLE.tokenizer.folder}/vocab.txt").read_text().split("\n")
    pieces = [[word[0], *(f"##{letter}" for letter in word[1:])] for word in prompt.split()]
    tokens = ["[CLS]", *(piece for word in pieces for piece in word), "[SEP]"]
    padding = 35 - len(tokens)
    ids = [words.index(token) for token in tokens] + [words.index("[PAD]")] * padding
    return ids, [True] * len(tokens) + [False] * padding


@pytest.mark.parametrize("prompt", ["a photo", "two red cats"])
def test_score_equals_the_published_network_written_out(prompt: str) -> None:
    state = torch.load(Path(f"{EXAMPLE.model.folder}/ImageReward.pt"))
    patches = blip_image(state, normalised(IMAGES), num_heads=2)
    ids, seen = padded_ids(prompt)
    x = blip_text(state, ids, seen, patches, TEXT_HEADS)[:, 0]
    for place in (0, 2, 4, 6, 7):
        x = linear(state, f"mlp.layers.{place}", x)
    wanted = (x[:, 0] - 0.16717362830052426) / 1.0333394966054072
    scores = changed(prompt=prompt)(image_table(IMAGES))
    np.testing.assert_allclose(scores, wanted.numpy(), rtol=2e-6)
    assert scores.std() > 0.01


def test_the_prompt_decides_the_score() -> None:
    samples = image_table(IMAGES)
    assert not np.allclose(changed(prompt="a cat")(samples), changed()(samples), rtol=1e-4)


def test_only_the_published_weights_count_as_published() -> None:
    assert ImageRewardConfig().uses_published_weights
    assert not EXAMPLE.uses_published_weights
    given = {"model": EXAMPLE.model}
    assert not ImageRewardConfig.model_validate(given).uses_published_weights
