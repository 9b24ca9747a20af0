"""Reward `length`: the nearer the number of words to a target, the better."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.texts import texts_of
from rewards.registry import NO_BASIN, Reward, RewardConfig
from rewards.text_examples import random_conversations
from rewards.words import word_counts

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Words a text may be off its target and still count to its basin, where targets are far apart.
WIDEST_BASIN = 3.0


class LengthConfig(RewardConfig):
    """Target of a length preference."""

    kind: Literal["length"] = setting("length", "kind of reward", "S")
    target: int = setting(..., "T, the number of words that is liked most", "O", ge=0)
    gamma: float = setting(1.0, "strength; score lost per word off the target", "S", gt=0)


@final
class LengthReward:
    """r(y) = -gamma |L(y) - T|, L the number of words of the text (paper, section C.6)."""

    Config: ClassVar[type[RewardConfig]] = LengthConfig
    leaves_outside: ClassVar[bool] = True

    def __init__(self, config: LengthConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """0, reached by every text of exactly T words."""
        return 0.0

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in (-inf, 0]; raises `ConfigError` without texts."""
        return -self.config.gamma * _words_off([self.config.target], samples, "reward length")[:, 0]

    @staticmethod
    def basin_labels(
        rewards: Sequence["LengthReward"],  # (R,)
        samples: pa.Table,  # n rows
    ) -> IntArray:  # (n,)
        """Index of the nearest target, the first of equally near ones, `NO_BASIN` if it is far.

        Far is more than `basin_radius` words off.
        """
        targets = [reward.config.target for reward in rewards]
        off = _words_off(targets, samples, "basins of reward length")
        labels: IntArray = off.argmin(axis=1)
        return np.where(off.min(axis=1) <= basin_radius(targets), labels, NO_BASIN)

    @classmethod
    def example(cls) -> Self:
        """The paper's first target."""
        return cls(LengthConfig(target=10))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts of up to 24 words."""
        return random_conversations(num_samples, seed=seed)


def basin_radius(
    targets: Sequence[int],  # (R,)
) -> float:
    """min(3, d / 2), d the smallest distance between two different targets.

    Equal targets share one basin, so a single target, given once or often, has radius 3.
    """
    gaps = [above - below for below, above in pairwise(sorted(set(targets)))]
    return min([WIDEST_BASIN, *(gap / 2 for gap in gaps)])


def _words_off(
    targets: Sequence[int],  # (R,)
    samples: pa.Table,  # n rows
    user: str,
) -> FloatArray:  # (n, R)
    counts = word_counts(texts_of(samples, user))
    off: FloatArray = np.abs(counts[:, np.newaxis] - np.array(targets)).astype(np.float64)
    return off


REWARD: type[Reward] = LengthReward
