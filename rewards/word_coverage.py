"""Reward `word-coverage`: the more of the prompt's words a text takes up, the better (ours).

With `brevity` it makes a conflict that needs no model: what is liked more is longer.
"""

from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.texts import prompts_of, texts_of
from rewards.registry import Reward, RewardConfig
from rewards.text_examples import random_conversations
from rewards.words import distinct_words

FloatArray = npt.NDArray[np.float64]


class WordCoverageConfig(RewardConfig):
    """Strength of the wish for the prompt's words."""

    kind: Literal["word-coverage"] = setting("word-coverage", "kind of reward", "O")
    gamma: float = setting(1.0, "strength; the score of a text with all of them", "O", gt=0)


@final
class WordCoverageReward:
    """r(y) = gamma |W(prompt) and W(y)| / |W(prompt)|, W the distinct words of a text.

    A word is a run of letters and digits; upper and lower case are the same. A prompt without
    any is covered by every text.
    """

    Config: ClassVar[type[RewardConfig]] = WordCoverageConfig

    def __init__(self, config: WordCoverageConfig) -> None:
        self.config = config

    @property
    def supremum(self) -> float:
        """gamma, reached by a text that repeats the prompt."""
        return self.config.gamma

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in [0, gamma]; raises `ConfigError` without texts or without prompts."""
        user = "reward word-coverage"
        texts, prompts = texts_of(samples, user), prompts_of(samples, user)
        shares = [_share(prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        return self.config.gamma * np.array(shares, dtype=np.float64)

    @classmethod
    def example(cls) -> Self:
        """The default strength."""
        return cls(WordCoverageConfig())

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts with prompts of 3 to 8 words."""
        return random_conversations(num_samples, seed=seed)


def _share(prompt: str, text: str) -> float:
    wanted = distinct_words(prompt)
    return len(wanted & distinct_words(text)) / len(wanted) if wanted else 1.0


REWARD: type[Reward] = WordCoverageReward
