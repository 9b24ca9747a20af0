"""Inception's features as FID is published with them, from torch-fidelity and a file of weights.

Nothing is downloaded: the file is named in the configuration and its digest is checked before
it is used. torch is imported inside the functions.
"""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

import numpy as np
import numpy.typing as npt

from data.compute import compute
from data.configuration import FrozenConfig, setting
from data.errors import ConfigError, EnvironmentProblem
from data.pixels import on_device

if TYPE_CHECKING:
    import torch

UInt8Array = npt.NDArray[np.uint8]

# Weights converted from TensorFlow's Inception of 2015-12-05; pytorch-fid has the same file.
FILE_NAME = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE_NAME}"
PUBLISHED_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
WIDTH = 2_048


class InceptionConfig(FrozenConfig):
    """Which Inception weights FID is measured with."""

    weights: str = setting(
        ..., f"path of the file of weights that torch-fidelity publishes, {URL}", "O", location=True
    )
    sha256: str = setting(
        PUBLISHED_SHA256, "digest the file must have", "O", pattern=r"^[0-9a-f]{64}$"
    )
    batch_size: int = setting(64, "images that go through the network at a time", "O", ge=1)


@final
class InceptionFeatures:
    """Pooled features of images, the last before the logits; on the device it was loaded for."""

    def __init__(self, network: "torch.nn.Module", config: InceptionConfig) -> None:
        self._network = network
        self._config = config

    @classmethod
    def load(cls, config: InceptionConfig) -> Self:
        """The network with its weights on the present device.

        Raises `EnvironmentProblem` for a missing or unreadable file, another digest, or a file
        that holds anything but the weights of this network.
        """
        import torch
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        content = check_weights(config)
        # The network is given random weights before these: no one else's numbers may move.
        with torch.random.fork_rng(devices=[]):
            try:
                # torch-fidelity would unpickle whatever the file holds, so it is read safely
                # first; a buffer, so that what was checked is what is loaded.
                torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
                network = FeatureExtractorInceptionV3(
                    "inception-v3-compat",
                    [str(WIDTH)],
                    feature_extractor_weights_path=io.BytesIO(content),
                )
            except Exception as error:
                reason = " ".join(str(error).split())[:200] or type(error).__name__
                raise EnvironmentProblem(
                    "evaluation.inception.weights: expected the weights of torch-fidelity's "
                    f"Inception in {config.weights}, got {reason}; fetch them: "
                    f"{_fetch(config.weights)}"
                ) from error
        network = network.to(compute().device, memory_format=torch.channels_last)
        return cls(network, config)

    def __call__(
        self,
        images: UInt8Array,  # (n, H, W, C)
    ) -> npt.NDArray[np.float32]:  # (n, 2048)
        """Features of images of any size, resized as TensorFlow 1 does; grey counts as RGB.

        Raises `ConfigError` for other than one or three channels.
        """
        import torch

        channels = images.shape[3]
        if channels not in (1, 3):
            raise ConfigError(
                f"Inception: expected images of 1 or 3 channels, got {channels}; leave out "
                "evaluation.inception"
            )
        features = np.empty((len(images), WIDTH), np.float32)
        step = self._config.batch_size
        with torch.inference_mode():
            for start in range(0, len(images), step):
                batch = on_device(images[start : start + step]).expand(-1, 3, -1, -1)
                (found,) = self._network(batch.contiguous(memory_format=torch.channels_last))
                features[start : start + step] = found.cpu().numpy()
        return features


def check_weights(config: InceptionConfig) -> bytes:
    """Content of the file of weights; raises `EnvironmentProblem` if missing or another one."""
    path = Path(config.weights)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvironmentProblem(
            "evaluation.inception.weights: expected torch-fidelity's Inception weights at "
            f"{path}, got {error.strerror or error}; fetch them: {_fetch(config.weights)}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != config.sha256:
        raise EnvironmentProblem(
            f"evaluation.inception.weights: expected the SHA-256 {config.sha256} of {path}, got "
            f"{found}; fetch the file again ({_fetch(config.weights)}) or, if it is meant, set "
            "evaluation.inception.sha256"
        )
    return content


def _fetch(path: str) -> str:
    return f"curl -L --create-dirs -o '{path}' {URL}"
