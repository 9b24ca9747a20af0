"""The small network for images of any size."""

import pytest
import torch

from rewards import small_cnn


@pytest.mark.parametrize("shape", [(8, 8, 1), (16, 16, 3), (32, 32, 3), (1, 1, 2), (3, 9, 1)])
def test_images_of_any_shape_give_64_features(shape: tuple[int, int, int]) -> None:
    height, width, channels = shape
    network = small_cnn.build(7, channels=channels).eval()
    with torch.no_grad():
        pooled = small_cnn.features(network, torch.rand(2, channels, height, width))
        assert pooled.shape == (2, small_cnn.NUM_FEATURES)
        assert small_cnn.logits(network, pooled).shape == (2, 7)


def test_features_are_not_negative() -> None:
    network = small_cnn.build(10, channels=1).eval()
    with torch.no_grad():
        assert small_cnn.features(network, torch.rand(5, 1, 8, 8)).min() >= 0
