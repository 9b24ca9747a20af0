"""Reward `gaussian-bump`: a bell around a centre, bounded above and below."""

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


class GaussianBumpConfig(RewardConfig):
    """Centre, height and width of a bell."""

    kind: Literal["gaussian-bump"] = setting("gaussian-bump", "kind of reward", "R")
    centre: tuple[float, float] = setting(..., "mu, the point that is liked most", "S")
    height: float = setting(5.0, "score at the centre", "R", gt=0)
    width: float = setting(1.0, "distance at which the score is height / sqrt(e)", "R", gt=0)


@final
class GaussianBumpReward:
    """r(x) = height exp(-||x - mu||^2 / (2 width^2)) of points (x, y) (paper, section C.9)."""

    Config: ClassVar[type[RewardConfig]] = GaussianBumpConfig

    def __init__(self, config: GaussianBumpConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """The height, reached at the centre."""
        return self.config.height

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in [0, height]; raises `ConfigError` without x and y, `BadNumbers` on NaN.

        Far from the centre, beyond about 39 widths, the score is exactly 0.
        """
        points = points_of(samples, "reward gaussian-bump")
        # Divided before squaring: no width makes 0/0 or inf/inf, and exp(-inf) is the 0 meant.
        with np.errstate(over="ignore", under="ignore"):
            steps = (points - np.array(self.config.centre)) / self.config.width
            squared = squared_distances(steps, np.zeros((1, 2)))[:, 0]
            scores: FloatArray = self.config.height * np.exp(-squared / 2)
        return scores

    @staticmethod
    def basin_labels(
        rewards: Sequence["GaussianBumpReward"],  # (R,)
        samples: pa.Table,  # n rows
    ) -> IntArray:  # (n,)
        """Index of the nearest centre, the first of equally near ones, whatever the widths."""
        centres = [reward.config.centre for reward in rewards]
        return nearest_centre(centres, samples, "basins of reward gaussian-bump")

    @classmethod
    def example(cls) -> Self:
        """The first bell of the paper's theory checks at distance 2."""
        return cls(GaussianBumpConfig(centre=(-1.0, 0.0)))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Points of a standard Gaussian."""
        return gaussian_points(num_samples, seed=seed)


REWARD: type[Reward] = GaussianBumpReward
