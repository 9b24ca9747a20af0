import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import BadNumbers, ConfigError
from rewards.gaussian_bump import GaussianBumpConfig, GaussianBumpReward


def bump_at(x: float, y: float = 0.0, **changes: float) -> GaussianBumpReward:
    return GaussianBumpReward(GaussianBumpConfig(centre=(x, y), **changes))


def test_score_is_the_height_times_a_bell_of_the_distance() -> None:
    samples = pa.table({"x": [1.0, 3.0, 1.0, -2.0], "y": [2.0, 2.0, 0.5, 6.0]})
    scores = bump_at(1.0, 2.0, height=4.0, width=0.5)(samples)
    expected = 4.0 * np.exp(-np.array([0.0, 4.0, 2.25, 25.0]) / (2 * 0.25))
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_the_paper_bump_has_height_5_and_width_1() -> None:
    scores = bump_at(0.0)(pa.table({"x": [0.0, 1.0], "y": [0.0, 0.0]}))
    np.testing.assert_allclose(scores, [5.0, 5.0 * np.exp(-0.5)])


def test_scores_lie_between_zero_and_the_supremum_even_far_away() -> None:
    reward = bump_at(0.0, width=1e-3)
    scores = reward(pa.table({"x": [0.0, 1e200, -1e308], "y": [0.0, 0.0, 1.0]}))
    np.testing.assert_array_equal(scores, [5.0, 0.0, 0.0])
    assert reward.supremum == scores[0]


def test_a_narrow_bell_is_a_wide_one_of_scaled_points() -> None:
    samples = GaussianBumpReward.example_samples(50, seed=3)
    scaled = pa.table({name: samples[name].to_numpy() * 4 for name in ("x", "y")})
    np.testing.assert_allclose(
        bump_at(0.5, 0.25)(samples), bump_at(2.0, 1.0, width=4.0)(scaled), rtol=1e-12
    )


def test_a_sample_lies_in_the_basin_of_the_nearest_centre_and_ties_go_to_the_first() -> None:
    rewards = [bump_at(-3.0), bump_at(3.0, width=9.0), bump_at(0.0, 5.0)]
    samples = pa.table({"x": [-1.0, 1.0, 0.0, 0.0], "y": [0.0, 0.0, 0.0, 4.0]})
    labels = GaussianBumpReward.basin_labels(rewards, samples)
    np.testing.assert_array_equal(labels, [0, 1, 0, 2])
    assert labels.dtype == np.int64


def test_samples_without_coordinates_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward gaussian-bump: expected the columns x, y"):
        bump_at(0.0)(pa.table({"text": ["a"]}))


def test_a_coordinate_that_is_not_finite_is_refused_with_its_row() -> None:
    with pytest.raises(BadNumbers, match=r"reward gaussian-bump: .* got \(nan, 0.0\) in row 1"):
        bump_at(0.0)(pa.table({"x": [0.0, np.nan], "y": [0.0, 0.0]}))


@pytest.mark.parametrize("name", ["height", "width"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.inf])
def test_height_and_width_have_to_be_positive_and_finite(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=name):
        bump_at(0.0, **{name: value})
