"""Reward `thinness`: the thinner the strokes, the better; opposed to `ink` (ours).

Perimeter over area: a stroke w pixels wide has an outline of 2 pixels and an area of w for each
pixel of its length, whatever its length and direction along an axis. On an image in shades of
grey the outline is the total variation and the area the sum of the pixels.
"""

from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.images import images_of
from rewards.image_examples import random_images
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]


class ThinnessConfig(RewardConfig):
    """Strength of the wish for thin strokes."""

    kind: Literal["thinness"] = setting("thinness", "kind of reward", "O")
    gamma: float = setting(
        20.0, "strength; a long straight stroke of w pixels scores gamma / (2 w)", "O", gt=0
    )


@final
class ThinnessReward:
    """r(x) = gamma TV(x) / (4 sum x), which does not depend on the brightness of the strokes.

    TV is the sum of |differences| of neighbours along both axes, with nothing around the image.
    Each pixel has four neighbours, so the ratio is at most 1, reached by separate dots. An empty
    image has no stroke and scores 0.
    """

    Config: ClassVar[type[RewardConfig]] = ThinnessConfig

    def __init__(self, config: ThinnessConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """gamma, reached by dots of which no two touch."""
        return self.config.gamma

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in [0, gamma]; raises `ConfigError` without images."""
        images = images_of(samples, "reward thinness").astype(np.int16)
        framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        outline = sum(np.abs(np.diff(framed, axis=axis)).sum(axis=(1, 2, 3)) for axis in (1, 2))
        area = images.sum(axis=(1, 2, 3))
        scores: FloatArray = self.config.gamma * (outline / np.maximum(4 * area, 1))
        return scores

    @classmethod
    def example(cls) -> Self:
        """The default strength."""
        return cls(ThinnessConfig())

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Noise of several brightnesses."""
        return random_images(num_samples, seed=seed)


REWARD: type[Reward] = ThinnessReward
