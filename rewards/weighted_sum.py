"""Reward `weighted-sum`: several rewards added up into one preference, a baseline (ours).

Where a plural curation draws one of its rewards for every draw, this one compromises in every
single choice, so the loop settles on one compromise mode.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BeforeValidator, SerializeAsAny, model_validator

from data.configuration import setting
from data.published_weights import find_all
from rewards.centres import gaussian_points
from rewards.classification import Classify
from rewards.quadratic import QuadraticConfig
from rewards.registry import (
    Reward,
    RewardConfig,
    find_reward,
    needs_classifier,
    parse_reward,
    with_classifier,
)

FloatArray = npt.NDArray[np.float64]


class WeightedSumConfig(RewardConfig):
    """The rewards that are added up, each with the share its own `weight` gives it."""

    kind: Literal["weighted-sum"] = setting("weighted-sum", "kind of reward", "O")
    parts: tuple[Annotated[SerializeAsAny[RewardConfig], BeforeValidator(parse_reward)], ...] = (
        setting(..., "rewards that are added up, with their weights", "O", min_length=1)
    )

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if sum(part.weight for part in self.parts) <= 0:
            raise ValueError("parts: expected at least one positive weight, got only zeros")
        # A part has no constants of its own: the flag would be recorded and do nothing.
        for index, part in enumerate(self.parts):
            if part.standardise:
                raise ValueError(
                    f"parts.{index}.standardise: expected false, got true for {part.kind!r}; "
                    "standardise the sum instead, and let the parts' weights make up for their "
                    "scales"
                )
        return self


@final
class WeightedSumReward:
    """r(x) = sum_i w_i r_i(x) / sum_i w_i of the parts."""

    Config: ClassVar[type[RewardConfig]] = WeightedSumConfig
    combines: ClassVar[bool] = True

    def __init__(self, config: WeightedSumConfig, *, parts: Sequence[Reward] | None = None) -> None:
        self.config = config
        self._parts = parts or [find_reward(part.kind)(part) for part in config.parts]
        weights = np.array([part.weight for part in config.parts])
        self._shares = weights / weights.sum()

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Weighted mean of the parts' scores; raises as the parts do."""
        scores: FloatArray = self._shares @ np.array([part(samples) for part in self._parts])
        return scores

    @property
    def needs_classifier(self) -> bool:
        """Whether a part needs one."""
        return any(needs_classifier(part) for part in self._parts)

    def fetch(self) -> None:
        """Have the parts fetch the weights they need; raises as theirs do."""
        fetches = (getattr(part, "fetch", None) for part in self._parts)
        find_all(fetch for fetch in fetches if fetch is not None)

    def using(self, classify: Classify) -> Self:
        """The same sum whose parts score with `classify` where they need a classifier."""
        parts = [with_classifier(part, classify) for part in self._parts]
        return type(self)(self.config, parts=parts)

    @classmethod
    def example(cls) -> Self:
        """Both modes of the paper's mixture at distance 6, equally."""
        parts = (QuadraticConfig(centre=(-3.0, 0.0)), QuadraticConfig(centre=(3.0, 0.0)))
        return cls(WeightedSumConfig(parts=parts))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Points of a standard Gaussian."""
        return gaussian_points(num_samples, seed=seed)


REWARD: type[Reward] = WeightedSumReward
