from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import ConfigError
from rewards.gaussian_bump import GaussianBumpConfig, GaussianBumpReward
from rewards.quadratic import QuadraticConfig, QuadraticReward
from rewards.registry import (
    NO_BASIN,
    Reward,
    RewardConfig,
    available,
    find_basins,
    find_reward,
    known_suprema,
    leave_outside,
    parse_reward,
)

FloatArray = npt.NDArray[np.float64]


class Plain:
    Config: ClassVar[type[RewardConfig]] = RewardConfig

    def __init__(self, config: RewardConfig) -> None:
        self.config = config

    def __call__(self, samples: pa.Table) -> FloatArray:
        return np.zeros(samples.num_rows)

    @classmethod
    def example(cls) -> Self:
        raise NotImplementedError

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        raise NotImplementedError


class Labelled(Plain):
    @staticmethod
    def basin_labels(rewards: Sequence[Reward], samples: pa.Table) -> list[int]:
        return [len(rewards) - 1] * samples.num_rows


SAMPLES = pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0]})


def test_the_quadratic_reward_is_available_as_our_own() -> None:
    assert available()["quadratic"] == "pluralist"
    assert find_reward("quadratic") is QuadraticReward


def test_an_unknown_reward_is_refused_with_the_rewards_there_are() -> None:
    with pytest.raises(ConfigError, match=r"reward: expected one of .*quadratic.*, got 'cubic'"):
        find_reward("cubic")


def test_plain_values_become_the_configuration_of_their_reward() -> None:
    parsed = parse_reward({"kind": "quadratic", "centre": [1, 2], "weight": 0.3})
    assert parsed == QuadraticConfig(centre=(1.0, 2.0), weight=0.3)
    assert parse_reward(parsed) is parsed


def test_a_wrong_value_is_refused_with_the_reward_and_the_key() -> None:
    with pytest.raises(ConfigError, match=r"reward 'quadratic': gamma: .*greater than 0, got -1"):
        parse_reward({"kind": "quadratic", "centre": [1, 2], "gamma": -1})


@pytest.mark.parametrize("name", ["Upper", "under_score", "", "-first", "a" * 64])
def test_a_name_that_is_no_column_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        QuadraticConfig(centre=(0.0, 0.0), name=name)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValidationError, match="weight"):
        QuadraticConfig(centre=(0.0, 0.0), weight=-0.1)


def test_basins_come_from_the_class_that_all_rewards_share() -> None:
    reward = Labelled(RewardConfig(kind="labelled"))
    labels = find_basins([reward, reward, reward], SAMPLES)
    assert labels is not None
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, [2, 2])


class Partial(Plain):
    leaves_outside: ClassVar[bool] = True

    @staticmethod
    def basin_labels(rewards: Sequence[Reward], samples: pa.Table) -> list[int]:
        return [NO_BASIN, 1]


def test_samples_in_no_basin_keep_their_label_beside_a_combination() -> None:
    partial = Partial(RewardConfig(kind="partial"))
    combined = find_reward("weighted-sum").example()
    labels = find_basins([combined, partial, partial], SAMPLES)
    assert labels is not None
    np.testing.assert_array_equal(labels, [NO_BASIN, 2])
    assert leave_outside([combined, partial])


def test_basins_of_kinds_that_say_nothing_cover_all_samples() -> None:
    assert not leave_outside([Labelled(RewardConfig(kind="labelled"))])


def test_a_label_that_is_no_reward_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="wrong basin label"):
        find_basins([Partial(RewardConfig(kind="partial"))], SAMPLES)


def test_rewards_without_labels_or_of_several_kinds_have_no_basins() -> None:
    plain, labelled = Plain(RewardConfig(kind="plain")), Labelled(RewardConfig(kind="labelled"))
    assert find_basins([plain, plain], SAMPLES) is None
    assert find_basins([labelled, plain], SAMPLES) is None
    assert find_basins([], SAMPLES) is None


def test_suprema_come_from_each_reward_and_are_nan_where_its_kind_has_none() -> None:
    bump = GaussianBumpReward(GaussianBumpConfig(centre=(0.0, 0.0), height=2.5))
    quadratic = QuadraticReward(QuadraticConfig(centre=(0.0, 0.0)))
    suprema = known_suprema([bump, Plain(RewardConfig(kind="plain")), quadratic])
    np.testing.assert_array_equal(suprema, [2.5, np.nan, 0.0])
    assert suprema.dtype == np.float64
    assert known_suprema([]).shape == (0,)


class Combined(Plain):
    combines: ClassVar[bool] = True


def test_a_reward_that_combines_others_leaves_the_basins_of_the_others_as_they_are() -> None:
    first, second = (QuadraticReward(QuadraticConfig(centre=(x, 0.0))) for x in (0.0, 1.0))
    combined = Combined(RewardConfig(kind="combined"))
    cases: list[tuple[list[Reward], list[int]]] = [
        ([combined, first, second], [1, 2]),
        ([first, combined, second], [0, 2]),
        ([first, second, combined], [0, 1]),
    ]
    for rewards, expected in cases:
        labels = find_basins(rewards, SAMPLES)
        assert labels is not None
        np.testing.assert_array_equal(labels, expected)
    assert find_basins([combined], SAMPLES) is None
    assert find_basins([combined, combined], SAMPLES) is None
