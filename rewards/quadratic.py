"""Reward `quadratic`: the nearer to a centre of the plane, the better."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.points import points_of
from rewards.centres import gaussian_points, nearest_centre, squared_distances
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class QuadraticConfig(RewardConfig):
    """Centre and strength of a quadratic reward."""

    kind: Literal["quadratic"] = setting("quadratic", "kind of reward", "S")
    centre: tuple[float, float] = setting(..., "mu, the point that is liked most", "S")
    gamma: float = setting(1.0, "strength; the score falls by gamma at distance 1", "O", gt=0)


@final
class QuadraticReward:
    """r(x) = -gamma ||x - mu||^2 of points (x, y) (paper, eq. C.2)."""

    Config: ClassVar[type[RewardConfig]] = QuadraticConfig

    def __init__(self, config: QuadraticConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """0, reached at the centre."""
        return 0.0

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in (-inf, 0]; raises `ConfigError` without x and y, `BadNumbers` on NaN."""
        points = points_of(samples, "reward quadratic")
        return -self.config.gamma * squared_distances(points, np.array([self.config.centre]))[:, 0]

    @staticmethod
    def basin_labels(
        rewards: Sequence["QuadraticReward"],  # (R,)
        samples: pa.Table,  # n rows
    ) -> IntArray:  # (n,)
        """Index of the nearest centre, the first of equally near ones (paper, section C.7)."""
        centres = [reward.config.centre for reward in rewards]
        return nearest_centre(centres, samples, "basins of reward quadratic")

    @classmethod
    def example(cls) -> Self:
        """The first mode of the paper's mixture at distance 6."""
        return cls(QuadraticConfig(centre=(-3.0, 0.0)))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Points of a standard Gaussian."""
        return gaussian_points(num_samples, seed=seed)


REWARD: type[Reward] = QuadraticReward
