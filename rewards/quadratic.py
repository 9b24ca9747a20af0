"""Reward `quadratic`: the nearer to a centre of the plane, the better."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.points import points_of
from data.schemas import POINTS
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class QuadraticConfig(RewardConfig):
    """Centre and strength of a quadratic reward."""

    kind: Literal["quadratic"] = setting("quadratic", "kind of reward", "S")
    centre: tuple[float, float] = setting(..., "mu, the point that is liked most", "S")
    gamma: float = setting(1.0, "strength; the score falls by gamma at distance 1", "O", gt=0)


def squared_distances(
    points: FloatArray,  # (n, 2)
    centres: FloatArray,  # (R, 2)
) -> FloatArray:  # (n, R)
    """||x - mu_r||^2 of every point to every centre."""
    steps = points[:, np.newaxis, :] - centres
    squared: FloatArray = steps[..., 0] ** 2 + steps[..., 1] ** 2
    return squared


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
        points = points_of(samples, "basins of reward quadratic")
        centres = np.array([reward.config.centre for reward in rewards])
        nearest: IntArray = squared_distances(points, centres).argmin(axis=1)
        return nearest

    @classmethod
    def example(cls) -> Self:
        """The first mode of the paper's mixture at distance 6."""
        return cls(QuadraticConfig(centre=(-3.0, 0.0)))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Points of a standard Gaussian."""
        points = np.random.default_rng(seed).standard_normal((num_samples, 2))
        return pa.table({"x": points[:, 0], "y": points[:, 1]}, schema=POINTS)


REWARD: type[Reward] = QuadraticReward
