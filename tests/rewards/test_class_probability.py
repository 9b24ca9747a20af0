"""The probability of one class as a reward."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import ConfigError
from rewards.class_probability import ClassProbabilityConfig, ClassProbabilityReward
from rewards.classification import Classification
from rewards.registry import NO_BASIN, Reward, find_basins, parse_reward
from rewards.weighted_sum import WeightedSumConfig, WeightedSumReward

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.4, 0.2], [0.0, 1.0, 0.0]])
SAMPLES = pa.table({"image": ["a", "b", "c", "d"]})


def said(samples: pa.Table) -> Classification:
    """A classifier that has seen the four images before."""
    return Classification(PROBABILITIES, np.zeros((4, 2), np.float32))


def of_class(index: int, **changes: float) -> ClassProbabilityReward:
    return ClassProbabilityReward(ClassProbabilityConfig(class_index=index, **changes))


def test_the_score_is_gamma_times_the_probability_of_the_class() -> None:
    np.testing.assert_allclose(of_class(1).using(said)(SAMPLES), [1.0, 1.5, 2.0, 5.0])
    np.testing.assert_allclose(of_class(2, gamma=2.0).using(said)(SAMPLES), [0.2, 1.2, 0.4, 0])
    assert of_class(0, gamma=2.0).supremum == 2.0


def test_the_basin_is_the_likeliest_class_and_classes_without_a_reward_are_in_none() -> None:
    rewards = [of_class(2).using(said), of_class(1).using(said)]
    labels = ClassProbabilityReward.basin_labels(rewards, SAMPLES)
    # The third image is as likely of class 0, which comes first.
    np.testing.assert_array_equal(labels, [NO_BASIN, 0, NO_BASIN, 1])
    assert labels.dtype == np.int64


def test_of_two_rewards_for_one_class_the_first_has_the_basin() -> None:
    rewards: list[Reward] = [of_class(index).using(said) for index in (1, 0, 0)]
    labels = find_basins(rewards, SAMPLES)
    assert labels is not None
    np.testing.assert_array_equal(labels, [1, NO_BASIN, 1, 0])


def test_without_a_classifier_nothing_is_scored() -> None:
    text = "reward class-probability: expected a classifier for class 3, got none; configure `cl"
    with pytest.raises(ConfigError, match=text):
        of_class(3)(SAMPLES)
    with pytest.raises(ConfigError, match=text):
        ClassProbabilityReward.basin_labels([of_class(3)], SAMPLES)


def test_a_class_that_the_classifier_does_not_know_is_refused() -> None:
    text = r"expected a class_index from 0 to 2, got 3; choose a class that the classifier knows"
    with pytest.raises(ConfigError, match=text):
        of_class(3).using(said)(SAMPLES)
    with pytest.raises(ConfigError, match=text):
        ClassProbabilityReward.basin_labels([of_class(0).using(said), of_class(3)], SAMPLES)


@pytest.mark.parametrize("changes", [{"class_index": -1}, {"gamma": 0.0}, {"gamma": -1.0}])
def test_numbers_that_cannot_be_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        ClassProbabilityConfig.model_validate({"class_index": 0, **changes})


def test_the_name_of_the_outside_is_refused() -> None:
    with pytest.raises(ConfigError, match="name: expected a name other than 'outside'"):
        parse_reward({"kind": "class-probability", "class_index": 0, "name": "outside"})


def test_a_sum_hands_the_classifier_to_its_parts() -> None:
    parts = [{"kind": "class-probability", "class_index": index, "gamma": 4.0} for index in (0, 2)]
    nested = {"kind": "weighted-sum", "parts": parts}
    for config in (parse_reward(nested), parse_reward({"kind": "weighted-sum", "parts": [nested]})):
        assert isinstance(config, WeightedSumConfig)
        summed = WeightedSumReward(config)
        assert summed.needs_classifier
        with pytest.raises(ConfigError, match="configure `classifier`"):
            summed(SAMPLES)
        expected = 2 * (PROBABILITIES[:, 0] + PROBABILITIES[:, 2])
        np.testing.assert_allclose(summed.using(said)(SAMPLES), expected)
    assert not WeightedSumReward.example().needs_classifier
