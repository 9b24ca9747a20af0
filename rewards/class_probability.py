"""Reward `class-probability`: the surer a classifier is of one class, the better.

The basin of class c are the samples whose likeliest class is c (paper, section C.7's proxy).
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import field_validator

from data.configuration import setting
from data.errors import ConfigError
from data.images import images_of
from rewards.classification import Classification, Classify
from rewards.image_examples import random_images
from rewards.registry import NO_BASIN, Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class ClassProbabilityConfig(RewardConfig):
    """The class that is liked, and how much."""

    kind: Literal["class-probability"] = setting("class-probability", "kind of reward", "S")
    class_index: int = setting(..., "number of the class, from 0", "S", ge=0)
    gamma: float = setting(5.0, "strength; the score of a certain image", "A", gt=0)

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str | None) -> str | None:
        if name == "outside":
            raise ValueError(
                "expected a name other than 'outside', which stands for images of classes without "
                "a reward in the leakage"
            )
        return name


@final
class ClassProbabilityReward:
    """r(x) = gamma p(class | x) by the run's classifier (paper, section C.5)."""

    Config: ClassVar[type[RewardConfig]] = ClassProbabilityConfig
    leaves_outside: ClassVar[bool] = True
    needs_classifier: ClassVar[bool] = True

    def __init__(self, config: ClassProbabilityConfig, *, classify: Classify | None = None) -> None:
        self.config = config
        self._classify = classify

    def using(self, classify: Classify) -> Self:
        """The same reward with the classifier it scores with."""
        return type(self)(self.config, classify=classify)

    @property
    def supremum(self) -> float:
        """gamma; approached as the classifier grows certain."""
        return self.config.gamma

    def classification(
        self,
        samples: pa.Table,  # n rows
    ) -> Classification:
        """What the classifier says; raises `ConfigError` without one."""
        if self._classify is None:
            raise ConfigError(
                "reward class-probability: expected a classifier for class "
                f"{self.config.class_index}, got none; configure `classifier`"
            )
        return self._classify(samples)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores in [0, gamma].

        Raises `ConfigError` without a classifier, or for a class that it does not know, and as
        the classifier does.
        """
        found = self.classification(samples)
        _check_class(self.config.class_index, found)
        scores: FloatArray = self.config.gamma * found.probabilities[:, self.config.class_index]
        return scores

    @staticmethod
    def basin_labels(
        rewards: Sequence["ClassProbabilityReward"],  # (R,)
        samples: pa.Table,  # n rows
    ) -> IntArray:  # (n,)
        """Index of the first reward of the likeliest class, `NO_BASIN` where it has none.

        A run has one classifier, so the first reward's speaks for all.
        """
        found = rewards[0].classification(samples)
        classes, labels = found.classes, np.full(samples.num_rows, NO_BASIN, np.int64)
        for index, reward in reversed(list(enumerate(rewards))):
            _check_class(reward.config.class_index, found)
            labels[classes == reward.config.class_index] = index
        return labels

    @classmethod
    def example(cls) -> Self:
        """Class 1 of three: dark, medium and bright images."""
        return cls(ClassProbabilityConfig(class_index=1), classify=by_brightness)

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Noise of several brightnesses."""
        return random_images(num_samples, seed=seed)


def _check_class(index: int, found: Classification) -> None:
    num_classes = found.probabilities.shape[1]
    if index >= num_classes:
        raise ConfigError(
            f"reward class-probability: expected a class_index from 0 to {num_classes - 1}, got "
            f"{index}; choose a class that the classifier knows"
        )


def by_brightness(
    samples: pa.Table,  # n rows
) -> Classification:
    """A classifier that needs no training: dark, medium and bright images."""
    images = images_of(samples, "classifier by brightness")
    mean = images.mean(axis=(1, 2, 3))[:, np.newaxis] / 255
    weights = np.exp(-20 * (mean - np.array([0.1, 0.25, 0.4])) ** 2)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    return Classification(probabilities, mean.astype(np.float32))


REWARD: type[Reward] = ClassProbabilityReward
