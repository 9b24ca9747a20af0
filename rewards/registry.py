"""What a reward is, and how one is found by its kind.

A new reward is one file `rewards/<kind>.py` (`-` in the kind, `_` in the file) that assigns
its class to `REWARD`, or another distribution's entry point in group `pluralist.rewards`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import FrozenConfig, setting
from data.plugins import PluginFamily
from rewards.classification import Classify

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# What `basin_labels` gives for a sample that lies in no reward's basin.
NO_BASIN = -1

FAMILY = PluginFamily(noun="reward", package="rewards", export="REWARD", group="pluralist.rewards")


class RewardConfig(FrozenConfig):
    """What every reward can be given; each kind adds its own fields."""

    kind: str = setting(..., "kind of reward, the name of its module", "O")
    name: str | None = setting(
        None,
        "column in scores.parquet; <kind>-<number from 1> when not given",
        "O",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
    )
    weight: float = setting(
        1.0, "share of the curated draws it decides, relative to the other weights", "O", ge=0
    )
    standardise: bool = setting(
        False, "score in deviations from the mean, both of samples of p_0", "O", added=True
    )


class Reward(Protocol):
    """A preference over samples.

    A class may also have a static method `basin_labels(rewards, samples) -> IntArray  # (n,)`
    that says for each sample in which reward's basin it lies, as an index of `rewards`, which
    are all of that class; without it no basin masses and no leakage are measured. Where its
    attribute `leaves_outside` is true, `NO_BASIN` stands for samples in no basin. A class whose
    attribute `combines` is true is a function of other rewards and has no basin of its own.

    It may have a property `supremum: float`, finite: the largest score any sample can have.
    That is r* of the paper's basins {r >= r* - eps}.

    It may have a method `fetch()` that fetches and checks the weights it needs, raising
    `EnvironmentProblem`; a run calls it before it trains anything.

    An attribute `libraries: tuple[str, ...]` names distributions that it computes in: they have to
    be installed, and their versions enter the numerics class.

    A reward that scores with the run's classifier has an attribute `needs_classifier`, true, and
    a method `using(classify: Classify) -> Self`; it cannot score before.
    """

    Config: ClassVar[type[RewardConfig]]

    def __init__(self, config: Any) -> None: ...

    @property
    def config(self) -> RewardConfig:
        """The configuration it was made from."""
        ...

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Score of each row: finite, larger is liked more, independent of the other rows."""
        ...

    @classmethod
    def example(cls) -> Self:
        """A small cheap instance, for the tests every reward has to pass."""
        ...

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Samples that `example()` can score, also zero of them."""
        ...


def available() -> dict[str, str]:
    """Origin of every kind of reward: "pluralist" or "<distribution> <version>"."""
    return FAMILY.available()


def find_reward(kind: str) -> type[Reward]:
    """Class of the reward `kind`; raises `ConfigError` listing the kinds there are."""
    found: type[Reward] = FAMILY.find(kind)
    return found


def parse_reward(raw: Any) -> RewardConfig:
    """Configuration of one reward from plain values (or as it is); raises `ConfigError`."""
    return FAMILY.parse(raw, RewardConfig)


def find_basins(
    rewards: Sequence[Reward],  # (R,)
    samples: pa.Table,  # n rows
) -> IntArray | None:  # (n,)
    """Index of the reward in whose basin each sample lies, `NO_BASIN` where in none.

    None where that is not defined: rewards of different kinds, or of a kind without
    `basin_labels`.
    """
    own = [index for index, one in enumerate(rewards) if not getattr(one, "combines", False)]
    kinds = {type(rewards[index]) for index in own}
    label = getattr(kinds.pop(), "basin_labels", None) if len(kinds) == 1 else None
    if label is None:
        return None
    found = np.asarray(label([rewards[index] for index in own], samples), dtype=np.int64)
    assert not len(found) or NO_BASIN <= found.min() <= found.max() < len(own), "wrong basin label"
    labels: IntArray = np.where(found == NO_BASIN, NO_BASIN, np.array(own)[found])
    return labels


def leave_outside(rewards: Sequence[Reward]) -> bool:
    """Whether `find_basins` of these rewards may leave samples in no basin."""
    return any(getattr(reward, "leaves_outside", False) for reward in rewards)


def every_part(configs: Sequence[RewardConfig]) -> Iterator[RewardConfig]:
    """Each reward, or the rewards it is made of where it has `parts`, at any depth."""
    for config in configs:
        parts = getattr(config, "parts", None)
        yield from [config] if parts is None else every_part(parts)


def known_suprema(
    rewards: Sequence[Reward],  # (R,)
) -> FloatArray:  # (R,)
    """The largest score any sample can have under each reward; NaN where its kind gives none."""
    return np.array([getattr(reward, "supremum", np.nan) for reward in rewards], dtype=np.float64)


def needs_classifier(reward: Reward) -> bool:
    """Whether the reward cannot score without the run's classifier."""
    return bool(getattr(reward, "needs_classifier", False))


def with_classifier(reward: Reward, classify: Classify | None) -> Reward:
    """The reward scoring with `classify`; as it is where it needs none or there is none."""
    if classify is None or not needs_classifier(reward):
        return reward
    equipped: Reward = reward.using(classify)  # type: ignore[attr-defined]
    return equipped
