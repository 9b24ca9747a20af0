"""Reward `brevity`: the fewer words, the better (ours, for conflicts without a model)."""

from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.texts import texts_of
from rewards.registry import Reward, RewardConfig
from rewards.text_examples import random_conversations
from rewards.words import word_counts

FloatArray = npt.NDArray[np.float64]


class BrevityConfig(RewardConfig):
    """Strength of the wish for few words."""

    kind: Literal["brevity"] = setting("brevity", "kind of reward", "O")
    gamma: float = setting(1.0, "strength; score lost per word", "O", gt=0)


@final
class BrevityReward:
    """r(y) = -gamma L(y), L the number of words, from 0 for an empty text downwards."""

    Config: ClassVar[type[RewardConfig]] = BrevityConfig

    def __init__(self, config: BrevityConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """0, reached by a text without words."""
        return 0.0

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in (-inf, 0]; raises `ConfigError` without texts."""
        counts = word_counts(texts_of(samples, "reward brevity"))
        return -self.config.gamma * counts.astype(np.float64)

    @classmethod
    def example(cls) -> Self:
        """The default strength."""
        return cls(BrevityConfig())

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts of up to 24 words."""
        return random_conversations(num_samples, seed=seed)


REWARD: type[Reward] = BrevityReward
