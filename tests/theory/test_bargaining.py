import numpy as np
import pytest

from tests.theory.models import basin_models, only_basins
from theory.bargaining import (
    bargaining_gains,
    disagreement,
    nash_product,
    nash_share,
    weighted_nash_product,
    weighted_nash_shares,
)


def test_no_share_beats_the_weight_whatever_the_gains() -> None:
    rng = np.random.default_rng(90)
    for _ in range(2_000):
        q, other = rng.uniform(0.01, 0.99, 2)
        gains = rng.lognormal(0, 3, 2)
        best = nash_share(q, *gains)
        assert best == q
        assert nash_product(best, q, *gains) >= nash_product(other, q, *gains)
        for near in (q - 0.005, q + 0.005):
            assert nash_product(best, q, *gains) > nash_product(near, q, *gains)


def test_no_shares_of_several_rewards_beat_the_weights() -> None:
    rng = np.random.default_rng(91)
    for _ in range(2_000):
        size = int(rng.integers(2, 6))
        weights, others = rng.dirichlet(np.ones(size), 2)
        gains = rng.lognormal(0, 3, size)
        best = weighted_nash_shares(weights, gains)
        np.testing.assert_array_equal(best, weights)
        product = weighted_nash_product(best, weights, gains)
        assert product >= weighted_nash_product(others, weights, gains) * (1 - 1e-12)


def test_on_the_mixture_line_gains_over_disagreement_are_shares_of_the_full_gain() -> None:
    rng = np.random.default_rng(92)
    for model in basin_models(92):
        first, second = (
            only_basins(model, np.array([1.0, 0.0])),
            only_basins(model, np.array([0.0, 1.0])),
        )
        fallback = disagreement(model.rewards, [first, second])
        assert fallback == pytest.approx([model.rewards[0] @ second, model.rewards[1] @ first])
        gains = bargaining_gains(model.rewards, [first, second])
        share = rng.uniform()
        expected = model.rewards @ (share * first + (1 - share) * second)
        np.testing.assert_allclose(
            expected - fallback, [share * gains[0], (1 - share) * gains[1]], atol=1e-12
        )


def test_several_rewards_fall_back_on_the_best_of_the_other_basins() -> None:
    rewards = np.array([[5.0, 1.0, 2.0], [0.0, 4.0, 0.0], [3.0, 2.0, 9.0]])
    assert disagreement(rewards, np.eye(3)).tolist() == [2.0, 0.0, 3.0]
    assert bargaining_gains(rewards, np.eye(3)).tolist() == [3.0, 4.0, 6.0]


def test_all_weight_on_one_reward_gives_it_everything() -> None:
    assert nash_share(0.0, 1.0, 1.0) == 0.0
    assert nash_share(1.0, 1.0, 1.0) == 1.0
    assert nash_product(1.0, 1.0, 3.0, 2.0) == 3.0
    assert nash_product(0.0, 0.5, 3.0, 2.0) == 0.0
