"""Selection in expectation: every candidate's chance under every reward."""

import numpy as np
import pytest

from data.errors import BadNumbers, ConfigError
from tasks.expected_selection import expected_winners

SCORES = np.array([[0.0, 1.0], [2.0, -1.0], [1.0, 0.5]])
MASSES = np.array([0.5, 0.2, 0.3])


def test_an_infinite_pool_chooses_by_mass_times_exponential() -> None:
    chances = expected_winners(SCORES, MASSES, pool_size=None, temperature=0.5)
    tilted = MASSES * np.exp(SCORES.T / 0.5)
    np.testing.assert_allclose(chances, tilted / tilted.sum(axis=1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("pool_size", [1, 2, 5, None])
def test_chances_of_a_reward_sum_to_one(pool_size: int | None) -> None:
    chances = expected_winners(SCORES, MASSES, pool_size=pool_size, temperature=1.0)
    assert chances.shape == (2, 3)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-9)


def test_a_pool_of_one_chooses_by_mass_alone() -> None:
    chances = expected_winners(SCORES, MASSES, pool_size=1, temperature=1.0)
    np.testing.assert_allclose(chances, [MASSES, MASSES], rtol=1e-9)


def test_a_candidate_without_mass_wins_nothing_however_much_it_is_liked() -> None:
    scores = np.array([[0.0, 0.0], [5000.0, 0.0]])
    chances = expected_winners(scores, np.array([1.0, 0.0]), pool_size=None, temperature=1.0)
    np.testing.assert_array_equal(chances, [[1.0, 0.0], [1.0, 0.0]])


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadNumbers, match="scores: expected finite numbers, got NaN or infinity"):
        expected_winners(SCORES + np.inf, MASSES, pool_size=None, temperature=1.0)


def test_masses_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ConfigError, match="selection: p: expected .* sum to 1"):
        expected_winners(SCORES, MASSES / 2, pool_size=None, temperature=1.0)
