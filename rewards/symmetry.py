"""Reward `symmetry`: the more an image is its own mirror image, the better (ours)."""

from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.images import images_of
from rewards.image_examples import random_images
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]


class SymmetryConfig(RewardConfig):
    """Strength of the wish for symmetry."""

    kind: Literal["symmetry"] = setting("symmetry", "kind of reward", "O")
    gamma: float = setting(20.0, "strength; the score of a symmetric image", "O", gt=0)


@final
class SymmetryReward:
    """r(x) = gamma (1 - mean |x - x mirrored left to right| / 255)."""

    Config: ClassVar[type[RewardConfig]] = SymmetryConfig

    def __init__(self, config: SymmetryConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """gamma, reached by every symmetric image, an empty one among them."""
        return self.config.gamma

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in [0, gamma]; raises `ConfigError` without images."""
        images = images_of(samples, "reward symmetry").astype(np.int16)
        gaps = np.abs(images - images[:, :, ::-1]).mean(axis=(1, 2, 3))
        scores: FloatArray = self.config.gamma * (1 - gaps / 255)
        return scores

    @classmethod
    def example(cls) -> Self:
        """The default strength."""
        return cls(SymmetryConfig())

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Noise of several brightnesses."""
        return random_images(num_samples, seed=seed)


REWARD: type[Reward] = SymmetryReward
