"""What learned image rewards share: settings, batches on the device, preparation of pixels.

n images of a table, b of them in a batch, H x W pixels, C channels.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.compute import compute
from data.configuration import setting
from data.errors import ConfigError
from data.images import image_table, images_of
from data.pixels import on_device
from rewards.pretrained import load_pretrained
from rewards.registry import RewardConfig

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
Score = Callable[["torch.Tensor"], "torch.Tensor"]  # (b, 3, H, W) uint8 -> (b,)

# transformers prepares pixels with torchvision.
LIBRARIES = ("torch", "torchvision", "transformers")
PROMPT = "a photo"


class LearnedImageConfig(RewardConfig):
    """What every learned image reward can be given."""

    gamma: float = setting(1.0, "strength; multiplies the model's score", "O", gt=0)
    batch_size: int = setting(64, "images the model sees at once", "O", ge=1)


class BatchedScorer:
    """Scores of images by a network that is loaded at the first call.

    `load(device)` gives the network's score of a batch; `user` starts every message.
    """

    def __init__(self, user: str, batch_size: int, load: Callable[[str], Score]) -> None:
        self._user = user
        self._batch_size = batch_size
        self._load = load
        self._loaded: tuple[str, Score] | None = None

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Score of each image on the present device; grey images count as three equal channels.

        Raises `ConfigError` for a table without images, or with other than 1 or 3 channels.
        """
        images = images_of(samples, self._user)
        if images.shape[3] not in (1, 3):
            raise ConfigError(
                f"{self._user}: expected images of 1 or 3 channels, got {images.shape[3]}; use it "
                "with grey or RGB images"
            )
        scores = np.empty(len(images))
        if not len(images):
            return scores
        import torch

        score = self._score()
        with torch.inference_mode():
            for start in range(0, len(images), self._batch_size):
                batch = slice(start, start + self._batch_size)
                pixels = on_device(images[batch])
                scores[batch] = score(pixels.expand(-1, 3, -1, -1)).double().cpu().numpy()
        return scores

    def _score(self) -> Score:
        device = compute().device
        if self._loaded is None or self._loaded[0] != device:
            self._loaded = (device, self._load(device))
        return self._loaded[1]


def prepared(
    pixels: "torch.Tensor",  # (b, 3, H, W), uint8
    processor: Any,
) -> "torch.Tensor":  # (b, 3, S, S), float32
    """Resized (bicubic), cropped and normalised as the image processor says, on their device.

    transformers resizes the bytes of a whole batch with torchvision; it differs by at most two
    of 255 steps from Pillow's resizing, with which the models were published.
    """
    values: torch.Tensor = processor(
        images=pixels, return_tensors="pt", input_data_format="channels_first", device=pixels.device
    )["pixel_values"]
    return values


def load_clip(folder: Path, device: str) -> Any:
    """transformers' `CLIPModel` in float32, ready to be evaluated; raises as `load_pretrained`."""
    import torch
    from transformers import CLIPModel

    return load_pretrained(CLIPModel, folder, dtype=torch.float32, device=device, noun="CLIP model")


def noise_images(num_samples: int, *, seed: int) -> pa.Table:
    """Small RGB images of random bytes, as examples."""
    rng = np.random.default_rng(seed)
    return image_table(rng.integers(0, 256, (num_samples, 8, 8, 3), dtype=np.uint8))
