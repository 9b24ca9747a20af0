"""Moments, basins, leakage and tails from samples that count equally or by mass."""

import numpy as np
import pytest

from rewards.registry import NO_BASIN
from tasks.metrics import basin_masses, num_distinct, reward_moments, tail_coverage, winner_leakage

SCORES = np.array([[0.0, 1.0], [2.0, -1.0], [1.0, 0.5], [1.0, 0.5]])
MASSES = np.array([0.5, 0.2, 0.3, 0.0])


def test_moments_of_equal_samples_are_mean_and_population_variance() -> None:
    means, variances = reward_moments(SCORES)
    assert means == pytest.approx([1.0, 0.25])
    assert variances == pytest.approx([0.5, (0.75**2 + 1.25**2 + 2 * 0.25**2) / 4])


def test_equal_masses_give_the_moments_of_equal_samples() -> None:
    for plain, weighted in zip(
        reward_moments(SCORES), reward_moments(SCORES, np.full(4, 0.25)), strict=True
    ):
        np.testing.assert_allclose(weighted, plain, rtol=1e-12)


def test_masses_weigh_the_moments() -> None:
    means, variances = reward_moments(SCORES, MASSES)
    assert means == pytest.approx([0.7, 0.45])
    assert variances == pytest.approx([0.2 * 4 + 0.3 - 0.49, 0.5 + 0.2 + 0.3 / 4 - 0.45**2])


def test_basins_hold_shares_or_masses_that_sum_to_one() -> None:
    labels = np.array([0, 2, 0, 2])
    assert basin_masses(labels, 3).tolist() == [0.5, 0.0, 0.5]
    assert basin_masses(labels, 3, MASSES) == pytest.approx([0.8, 0.0, 0.2])


def test_samples_in_no_basin_are_missing_from_the_masses() -> None:
    labels = np.array([0, NO_BASIN, 0, 1])
    assert basin_masses(labels, 2).tolist() == [0.5, 0.25]
    assert basin_masses(labels, 2, MASSES) == pytest.approx([0.8, 0.0])
    assert basin_masses(np.full(3, NO_BASIN), 2).tolist() == [0.0, 0.0]


def test_winners_in_no_basin_leak_to_the_outside() -> None:
    active, labels = np.array([0, 0, 0, 1]), np.array([0, 1, NO_BASIN, NO_BASIN])
    leaked = winner_leakage(active, labels, 2)
    np.testing.assert_allclose(leaked, [[1 / 3, 1 / 3, 1 / 3], [0.0, 0.0, 1.0]])
    leaked = winner_leakage(active, labels, 2, np.array([0.5, 0.25, 0.25, 0.1]))
    np.testing.assert_allclose(leaked, [[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])


def test_leakage_is_the_share_of_a_rewards_winners_in_each_basin() -> None:
    leaked = winner_leakage(np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1]), 3)
    np.testing.assert_array_equal(leaked, [[0.75, 0.25, 0, 0], [0, 1, 0, 0], [np.nan] * 4])


def test_leakage_weighs_winners_by_their_chances() -> None:
    chances = np.array([0.9, 0.1, 0.2, 0.6])
    leaked = winner_leakage(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2, chances)
    np.testing.assert_allclose(leaked, [[0.9, 0.1, 0], [0.25, 0.75, 0]])


def test_leakage_of_a_reward_whose_winners_have_no_chance_is_not_a_number() -> None:
    leaked = winner_leakage(np.array([0, 1]), np.array([0, 1]), 2, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(leaked, [[1, 0, 0], [np.nan] * 3])


def test_distinct_winners_are_counted_once() -> None:
    assert num_distinct(np.array([4, 4, 1, 9, 1])) == 3


def test_tail_coverage_is_the_share_below_the_floor_in_units_of_the_tail() -> None:
    assert tail_coverage(np.array([-9.0, -3.0, -2.0, -1.0]), -2.5, 0.05) == pytest.approx(10)
    assert tail_coverage(np.zeros(5), -2.5, 0.05) == 0
