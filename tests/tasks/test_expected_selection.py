"""Selection in expectation: every candidate's chance under every reward."""

from itertools import product

import numpy as np
import pytest

from data.errors import BadNumbers, ConfigError
from tasks.bradley_terry import select
from tasks.expected_selection import expected_winners
from tests.tasks.law import choice

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


@pytest.mark.parametrize("pool_size", [2, 5])
def test_sampled_selection_tends_to_the_expected_one(pool_size: int) -> None:
    rng, num_draws = np.random.default_rng(8), 200
    wanted = expected_winners(SCORES, MASSES, pool_size=pool_size, temperature=0.5)
    for reward in range(2):
        counts = np.zeros(3)
        # Fresh candidates in every round: pools are then drawn from the masses themselves.
        for _ in range(400):
            atoms = rng.choice(3, size=num_draws * pool_size, p=MASSES)
            winners = select(
                SCORES[atoms],
                np.full(num_draws, reward),
                scheme="disjoint",
                pool_size=pool_size,
                temperature=0.5,
                replacement=True,
                rng=rng,
            )
            counts += np.bincount(atoms[winners.candidate_id], minlength=3)
        deviations = np.sqrt(wanted[reward] * (1 - wanted[reward]) / counts.sum())
        np.testing.assert_array_less(np.abs(counts / counts.sum() - wanted[reward]), 4 * deviations)


def test_a_pool_of_two_has_the_law_of_every_pair() -> None:
    chances = np.zeros((2, 3))
    for i, j in product(range(3), repeat=2):
        for reward in range(2):
            odds = choice(SCORES[[i, j], reward], 1.0)
            chances[reward, i] += MASSES[i] * MASSES[j] * odds[0]
            chances[reward, j] += MASSES[i] * MASSES[j] * odds[1]
    found = expected_winners(SCORES, MASSES, pool_size=2, temperature=1.0)
    np.testing.assert_allclose(found, chances, rtol=1e-9)


def test_the_larger_the_pool_the_nearer_the_infinite_one() -> None:
    infinite = expected_winners(SCORES, MASSES, pool_size=None, temperature=0.5)
    away = [
        np.abs(expected_winners(SCORES, MASSES, pool_size=size, temperature=0.5) - infinite).max()
        for size in (4, 16, 64, 256)
    ]
    assert away == sorted(away, reverse=True)
    assert away[-1] < 0.01


def test_at_temperature_0_the_best_takes_all_of_an_infinite_pool() -> None:
    chances = expected_winners(SCORES, MASSES, pool_size=None, temperature=0.0)
    np.testing.assert_allclose(chances, [[0, 1, 0], [1, 0, 0]], atol=1e-12)
