import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import BadNumbers, ConfigError
from rewards.quadratic import QuadraticConfig, QuadraticReward


def reward_at(x: float, y: float = 0.0, gamma: float = 1.0) -> QuadraticReward:
    return QuadraticReward(QuadraticConfig(centre=(x, y), gamma=gamma))


def test_score_is_minus_gamma_times_the_squared_distance() -> None:
    samples = pa.table({"x": [1.0, 4.0, 1.0], "y": [2.0, 6.0, 0.0]})
    scores = reward_at(1.0, 2.0, gamma=0.5)(samples)
    np.testing.assert_allclose(scores, [0.0, -12.5, -2.0])


def test_turning_points_and_centre_together_leaves_the_scores_unchanged() -> None:
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    samples = QuadraticReward.example_samples(50, seed=3)
    points = np.column_stack([samples["x"].to_numpy(), samples["y"].to_numpy()]) @ turn.T
    turned = pa.table({"x": points[:, 0], "y": points[:, 1]})
    centre = turn @ np.array([2.0, -1.0])
    np.testing.assert_allclose(
        reward_at(*centre)(turned), reward_at(2.0, -1.0)(samples), rtol=1e-12
    )


def test_a_sample_lies_in_the_basin_of_the_nearest_centre_and_ties_go_to_the_first() -> None:
    rewards = [reward_at(-3.0), reward_at(3.0, gamma=9.0), reward_at(0.0, 5.0)]
    samples = pa.table({"x": [-1.0, 1.0, 0.0, 0.0], "y": [0.0, 0.0, 0.0, 4.0]})
    labels = QuadraticReward.basin_labels(rewards, samples)
    np.testing.assert_array_equal(labels, [0, 1, 0, 2])
    assert labels.dtype == np.int64


def test_samples_without_coordinates_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward quadratic: expected the columns x, y, got text"):
        reward_at(0.0)(pa.table({"text": ["a"]}))


def test_a_coordinate_that_is_not_finite_is_refused_with_its_row() -> None:
    with pytest.raises(BadNumbers, match=r"reward quadratic: .* got \(nan, 0.0\) in row 1"):
        reward_at(0.0)(pa.table({"x": [0.0, np.nan], "y": [0.0, 0.0]}))


@pytest.mark.parametrize("gamma", [0.0, -1.0, np.inf])
def test_gamma_has_to_be_positive_and_finite(gamma: float) -> None:
    with pytest.raises(ValidationError, match="gamma"):
        QuadraticConfig(centre=(0.0, 0.0), gamma=gamma)
