"""Noise on scores and flipped choices: their laws, and that flips are those of labels for K = 2."""

import numpy as np
import pytest

from data.errors import BadNumbers
from tasks.bradley_terry import select
from tasks.feedback import draw_flips, noisy_scores, with_opposites
from tests.tasks.law import Law, assert_law, choice

SCORES = np.array([[0.0, 1.2], [0.7, -0.4]])  # (2, 2)


def test_noise_has_the_stated_deviation_in_every_score_independently() -> None:
    scores = np.tile([5.0, -1.0], (40_000, 1))
    noise = noisy_scores(scores, 0.3, rng=np.random.default_rng(1)) - scores
    np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=4 * 0.3 / 200)
    np.testing.assert_allclose(noise.std(axis=0), 0.3, rtol=4 / np.sqrt(2 * 40_000))
    assert abs(np.corrcoef(noise.T)[0, 1]) < 4 / 200


def test_noise_leaves_the_given_scores_as_they_are_and_follows_its_seed() -> None:
    before = SCORES.copy()
    first, again, other = (
        noisy_scores(SCORES, 1.0, rng=np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(SCORES, before)
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_flips_occur_with_their_probability(probability: float) -> None:
    flips = draw_flips(40_000, probability, rng=np.random.default_rng(2))
    assert flips.dtype == np.bool_
    deviation = np.sqrt(probability * (1 - probability) / 40_000)
    assert flips.mean() == pytest.approx(probability, abs=4 * deviation)


def test_flips_follow_their_seed() -> None:
    first, again, other = (draw_flips(100, 0.5, rng=np.random.default_rng(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_an_opposite_is_a_column_of_its_own_and_flipped_draws_use_it() -> None:
    scores, active = with_opposites(SCORES, np.array([0, 1, 1]), np.array([True, False, True]))
    np.testing.assert_array_equal(scores, [[0.0, 1.2, 0.0, -1.2], [0.7, -0.4, -0.7, 0.4]])
    assert active.tolist() == [2, 1, 3]


@pytest.mark.parametrize("reward", [0, 1])
def test_a_flipped_draw_from_two_swaps_the_bradley_terry_probabilities(reward: int) -> None:
    num_draws = 20_000
    scores, active = with_opposites(
        SCORES, np.full(num_draws, reward), np.ones(num_draws, dtype=bool)
    )
    winners = select(
        scores, active, scheme="all", pool_size=None, temperature=0.5, replacement=True,
        rng=np.random.default_rng(5),
    )  # fmt: skip
    odds = choice(SCORES[:, reward], 0.5)
    law: Law = {(0,): float(odds[1]), (1,): float(odds[0])}
    assert_law(winners.candidate_id.reshape(-1, 1), law)


def test_flips_of_one_half_make_the_choice_from_two_a_coin_toss() -> None:
    num_draws, rng = 20_000, np.random.default_rng(6)
    flips = draw_flips(num_draws, 0.5, rng=rng)
    scores, active = with_opposites(SCORES, np.zeros(num_draws, dtype=int), flips)
    winners = select(
        scores, active, scheme="all", pool_size=None, temperature=0.1, replacement=True, rng=rng
    )
    assert_law(winners.candidate_id.reshape(-1, 1), {(0,): 0.5, (1,): 0.5})


@pytest.mark.parametrize("deviation", [1e308, 1.7e308])
def test_noise_that_overflows_is_refused_without_a_warning(deviation: float) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(BadNumbers, match="score_noise: expected noisy scores with finite diff"):
        noisy_scores(np.zeros((50, 2)), deviation, rng=rng)
