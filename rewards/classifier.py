"""A trained classifier of images: class probabilities and penultimate features.

n images of H x W x C bytes, K classes, D features. torch is imported inside the functions.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.compute import compute
from data.errors import BadNumbers, ConfigError
from data.image_data import ImageData
from data.images import Shape, images_of
from data.model_folder import Tensors, read_model, write_model
from data.pixels import on_device, unsigned
from rewards.architectures import ARCHITECTURES
from rewards.classification import Classification
from rewards.classifier_config import ClassifierConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

UInt8Array = npt.NDArray[np.uint8]

# Rounding depends on the images of a batch, so their number is fixed.
BATCH = 256


@final
class Classifier:
    """A network whose parameters no longer change, with what is known about it.

    `test_accuracy` is the measured share of right answers on the test images, None where it was
    not measured.
    """

    def __init__(
        self,
        config: ClassifierConfig,
        network: "nn.ModuleDict",
        *,
        class_names: tuple[str, ...],
        test_accuracy: float | None = None,
    ) -> None:
        self.config = config
        self.class_names = class_names
        self.test_accuracy = test_accuracy
        self._network = network.eval()

    @property
    def shape(self) -> Shape:
        """(H, W, C) of the images it was made for."""
        return self.config.data.shape

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> Classification:
        """As `classify`, of a table of images; raises `ConfigError` for other tables."""
        return self.classify(images_of(samples, f"classifier {self.config.architecture}"))

    def classify(
        self,
        images: UInt8Array,  # (n, H, W, C)
    ) -> Classification:
        """Probabilities and features of bytes, on the present device.

        Raises `ConfigError` for images of another shape than it was trained on, `BadNumbers`
        for a probability that is not finite.
        """
        import torch

        if images.shape[1:] != self.shape:
            raise ConfigError(
                f"classifier {self.config.architecture}: expected images of shape "
                f"{self.shape}, got {images.shape[1:]}; give classifier and generator the same "
                "data"
            )
        self._network.to(compute().device)
        architecture = ARCHITECTURES[self.config.architecture]
        probabilities = np.empty((len(images), len(self.class_names)))
        features = np.empty((len(images), architecture.num_features), np.float32)
        with torch.inference_mode():
            for start in range(0, len(images), BATCH):
                rows = slice(start, start + BATCH)
                inputs = normalised(unsigned(on_device(images[rows])), self.config)
                pooled = architecture.features(self._network, inputs)
                logits = architecture.logits(self._network, pooled)
                # In float32 a confident classifier rounds all other classes to 0.
                probabilities[rows] = logits.double().softmax(dim=1).cpu().numpy()
                features[rows] = pooled.cpu().numpy()
        bad = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
        if len(bad):
            raise BadNumbers(
                f"classifier {self.config.architecture}: expected finite probabilities, got "
                f"{probabilities[bad[0]].tolist()} for image {bad[0]} ({len(bad)} such images of "
                f"{len(images)}); its parameters are broken, train or import it again"
            )
        return Classification(probabilities, features)

    def accuracy(self, data: ImageData) -> float:
        """Share of images whose likeliest class is their label."""
        return float(np.mean(self.classify(data.images).classes == data.labels))

    def save(self, folder: Path) -> None:
        """Write model.safetensors, without metadata, and config.json; equal models, equal bytes."""
        write_model(
            folder,
            tensors_of(self._network),
            kind=self.config.architecture,
            class_names=list(self.class_names),
            test_accuracy=self.test_accuracy,
        )

    @classmethod
    def load(cls, folder: Path, config: ClassifierConfig) -> Self:
        """The classifier that `save` wrote; raises `ConfigError` for another architecture."""
        import torch

        tensors, facts = read_model(folder, config.architecture, noun="classifier")
        names = tuple(facts["class_names"])
        network = new_network(config, len(names), seed=0)
        network.load_state_dict({name: torch.from_numpy(v) for name, v in tensors.items()})
        return cls(config, network, class_names=names, test_accuracy=facts["test_accuracy"])


def new_network(config: ClassifierConfig, num_classes: int, *, seed: int) -> "nn.ModuleDict":
    """The untrained network, with the parameters of `seed`; torch's own generator is left alone."""
    import torch

    # Built in host memory, so that the same seed gives the same start on every device.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return ARCHITECTURES[config.architecture].build(num_classes, config.data.shape[2])


def normalised(
    values: "torch.Tensor",  # (n, C, H, W), in [0, 1]
    config: ClassifierConfig,
) -> "torch.Tensor":
    """(values - mean) / deviation of each channel."""
    import torch

    mean, deviation = (
        torch.tensor(numbers, dtype=torch.float32, device=values.device)[:, None, None]
        for numbers in (config.mean, config.deviation)
    )
    return (values - mean) / deviation


def tensors_of(network: "nn.ModuleDict") -> Tensors:
    """Parameters and buffers as arrays in host memory."""
    return {name: value.cpu().numpy() for name, value in network.state_dict().items()}
