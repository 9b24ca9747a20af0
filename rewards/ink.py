"""Reward `ink`: the more ink on the image, the better (ours, for conflicts without a model)."""

from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.images import images_of
from rewards.image_examples import random_images
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]


class InkConfig(RewardConfig):
    """Strength of the wish for ink."""

    kind: Literal["ink"] = setting("ink", "kind of reward", "O")
    gamma: float = setting(20.0, "strength; the score of an image full of ink", "O", gt=0)


@final
class InkReward:
    """r(x) = gamma times the mean pixel, from 0 on an empty image to gamma on a full one."""

    Config: ClassVar[type[RewardConfig]] = InkConfig

    def __init__(self, config: InkConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """gamma, reached by an image of 255 alone."""
        return self.config.gamma

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in [0, gamma]; raises `ConfigError` without images."""
        images = images_of(samples, "reward ink")
        ink: FloatArray = images.mean(axis=(1, 2, 3)) / 255
        return self.config.gamma * ink

    @classmethod
    def example(cls) -> Self:
        """The default strength."""
        return cls(InkConfig())

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Noise of several brightnesses."""
        return random_images(num_samples, seed=seed)


REWARD: type[Reward] = InkReward
