import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor

from data.compute import Compute, computing
from data.errors import ConfigError
from data.images import image_table
from data.pixels import on_device
from rewards.image_scoring import BatchedScorer, Score, noise_images, prepared

RNG = np.random.default_rng(6)


class Loads:
    """Loads a network that adds up the first row of pixels, and remembers for which devices."""

    def __init__(self) -> None:
        self.devices: list[str] = []
        self.batches: list[int] = []

    def __call__(self, device: str) -> Score:
        self.devices.append(device)

        def score(pixels: torch.Tensor) -> torch.Tensor:
            assert pixels.shape[1] == 3 and torch.is_inference_mode_enabled()
            self.batches.append(len(pixels))
            return pixels.float().sum(dim=(1, 2, 3))

        return score


def test_images_are_scored_in_batches_by_a_network_loaded_once() -> None:
    loads = Loads()
    scorer = BatchedScorer("reward sum", 4, loads)
    images = RNG.integers(0, 256, (10, 2, 3, 3), dtype=np.uint8)
    scores = scorer(image_table(images))
    np.testing.assert_array_equal(scores, images.sum(axis=(1, 2, 3)))
    assert scores.dtype == np.float64
    assert (loads.batches, loads.devices) == ([4, 4, 2], ["cpu"])
    scorer(image_table(images))
    assert loads.devices == ["cpu"]


def test_another_device_loads_the_network_again() -> None:
    loads = Loads()
    scorer = BatchedScorer("reward sum", 4, loads)
    scorer(noise_images(1, seed=0))
    with computing(Compute(device="meta")), pytest.raises(NotImplementedError):
        scorer(noise_images(1, seed=0))
    assert loads.devices == ["cpu", "meta"]


def test_nothing_is_loaded_for_no_images() -> None:
    loads = Loads()
    assert BatchedScorer("reward sum", 4, loads)(noise_images(0, seed=0)).shape == (0,)
    assert loads.devices == []


def test_grey_images_count_as_three_equal_channels() -> None:
    grey = RNG.integers(0, 256, (3, 4, 4, 1), dtype=np.uint8)
    scorer = BatchedScorer("reward sum", 4, Loads())
    np.testing.assert_array_equal(
        scorer(image_table(grey)), scorer(image_table(np.repeat(grey, 3, axis=3)))
    )


def test_samples_that_are_no_grey_or_colour_images_are_refused() -> None:
    scorer = BatchedScorer("reward sum", 4, Loads())
    with pytest.raises(ConfigError, match="reward sum: expected a column 'image' of pixels"):
        scorer(pa.table({"x": [1.0]}))
    with pytest.raises(ConfigError, match="reward sum: expected images of 1 or 3 channels, got 4"):
        scorer(image_table(np.zeros((1, 2, 2, 4), dtype=np.uint8)))


@pytest.mark.parametrize("size", [8, 32, 300])
def test_preparation_is_within_two_steps_of_pillows_bicubic(size: int) -> None:
    images = RNG.integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    processor = CLIPImageProcessor()
    values = prepared(on_device(images), processor)
    assert values.shape == (3, 3, 224, 224)
    assert values.dtype == torch.float32
    mean, deviation = (
        np.array(vector).reshape(3, 1, 1) for vector in (processor.image_mean, processor.image_std)
    )
    steps = (values.numpy() * deviation + mean) * 255
    pillow = [
        np.asarray(Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC))
        for image in images
    ]
    gaps = np.abs(steps - np.stack(pillow).transpose(0, 3, 1, 2))
    assert gaps.max() < 2.01
    assert gaps.mean() < 0.02


def test_an_oblong_image_is_cropped_to_its_centre() -> None:
    image = np.zeros((1, 32, 64, 3), dtype=np.uint8)
    image[:, :, 16:48] = 255
    values = prepared(on_device(image), CLIPImageProcessor())
    assert values.shape == (1, 3, 224, 224)
    assert (values[..., 8:-8] > 1.5).all()
