import math
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from tests.theory.models import brute_force_best_weights, brute_force_weights, random_models
from theory.dynamics import selection_weights, step
from theory.finite_pool import _by_integral, best_of_pool_weights, pool_weights

FloatArray = npt.NDArray[np.float64]


def test_the_update_is_that_of_every_pool_of_up_to_six_from_up_to_four_atoms() -> None:
    rng = np.random.default_rng(1)
    for model in random_models(1, atoms=(1, 4), rewards=(1, 3)):
        # Most pools small: the reference goes through n^(K-1) of them.
        pool_size = int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.1, 0.3, 0.3, 0.2, 0.07, 0.03]))
        after = step(
            model.p,
            model.rewards,
            model.weights,
            pool_size=pool_size,
            temperature=model.temperature,
        )
        u = np.exp(model.rewards / model.temperature)
        expected = model.weights @ [brute_force_weights(model.p, row, pool_size) for row in u]
        np.testing.assert_allclose(after, model.p * expected, rtol=1e-12, atol=0)


def test_the_integral_is_the_enumeration() -> None:
    rng = np.random.default_rng(2)
    for model in random_models(2, atoms=(2, 4)):
        pool_size = int(rng.integers(2, 8))
        logits = model.rewards / model.temperature
        enumerated = pool_weights(model.p, logits, pool_size)
        for row, expected in zip(logits, enumerated, strict=True):
            integral = _by_integral(model.p, row, pool_size)
            np.testing.assert_allclose(integral, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("pool_size", [2, 7, 64, 500, 5_000])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
def test_two_atoms_are_binomial(pool_size: int, spread: float) -> None:
    for share in (1e-6, 0.01, 0.3, 0.5, 0.99):
        p, logits = np.array([share, 1 - share]), np.array([[spread, 0.0]])
        others = np.arange(pool_size)  # of the K - 1 others, how many are atom 0
        chances = np.array(
            [
                math.exp(
                    math.lgamma(pool_size)
                    - math.lgamma(k + 1)
                    - math.lgamma(pool_size - k)
                    + k * math.log(share)
                    + (pool_size - 1 - k) * math.log1p(-share)
                )
                for k in others
            ]
        )
        ratio = math.exp(-spread)
        first = chances @ (pool_size / (1 + others + (pool_size - 1 - others) * ratio))
        second = chances @ (pool_size / (1 + others / ratio + pool_size - 1 - others))
        # lgamma of 5,000 is only good to about 1e-11.
        weights = pool_weights(p, logits, pool_size)[0]
        np.testing.assert_allclose(weights, [first, second], rtol=1e-10)


def test_probabilities_after_a_round_sum_to_one_for_any_pool() -> None:
    rng = np.random.default_rng(3)
    for model in random_models(3, 300, atoms=(2, 40)):
        pool_size = int(rng.choice([2, 5, 17, 100, 3_000, 10**6]))
        after = step(model.p, model.rewards, model.weights, pool_size=pool_size)
        assert after.min() >= 0
        assert after.sum() == pytest.approx(1, abs=1e-12)


def test_a_pool_of_one_changes_nothing() -> None:
    for model in random_models(4):
        for temperature in (0.0, model.temperature):
            settings = {"pool_size": 1, "temperature": temperature}
            after = step(model.p, model.rewards, model.weights, **settings)  # type: ignore[arg-type]
            np.testing.assert_allclose(after, model.p, rtol=1e-15)


@pytest.mark.parametrize("spread", [1e3, 1e6, 1e12])
@pytest.mark.parametrize("pool_size", [4, 1_000])
def test_rewards_far_apart_neither_overflow_nor_lose_the_answer(
    spread: float, pool_size: int
) -> None:
    levels = np.array([0.0, -1.0, -2.0, -3.0, -4.0, -5.0]) * spread
    p = np.array([0.05, 0.1, 0.15, 0.2, 0.2, 0.3])
    best = best_of_pool_weights(p, levels[np.newaxis], pool_size)
    np.testing.assert_allclose(_by_integral(p, levels, pool_size), best[0], rtol=1e-12, atol=0)
    np.testing.assert_allclose(pool_weights(p, levels[np.newaxis], pool_size), best, rtol=1e-12)


def test_the_best_of_a_pool_is_that_of_every_pool() -> None:
    rng = np.random.default_rng(5)
    for model in random_models(5, 300, atoms=(1, 4)):
        pool_size = int(rng.integers(1, 5))
        rewards = np.round(model.rewards)  # ties happen
        weights = selection_weights(model.p, rewards, pool_size=pool_size, temperature=0.0)
        for row, found in zip(rewards, weights, strict=True):
            expected = brute_force_best_weights(model.p, row, pool_size)
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_temperature_zero_is_where_small_temperatures_lead() -> None:
    for model in random_models(6, 300, atoms=(2, 8)):
        rewards = np.round(4 * model.rewards)
        limit = step(model.p, rewards, model.weights, pool_size=5, temperature=0.0)
        small = step(model.p, rewards, model.weights, pool_size=5, temperature=0.02)
        np.testing.assert_allclose(small, limit, atol=1e-12)


def test_pools_approach_the_limit_like_one_over_their_size() -> None:
    # K (H^K - H) -> (u/mu) (1 - u/mu + var/mu^2), hence errors of the product that halve.
    num_models = 0
    for model in random_models(7, holes=False, atoms=(2, 8), rewards=(1, 1)):
        u = np.exp((model.rewards[0] - model.rewards.max()) / 5.0)
        mean = float(model.p @ u)
        relative, spread = u / mean, float(model.p @ (u / mean - 1) ** 2)
        correction = relative * (1 - relative + spread)
        errors = []
        for pool_size in (4_000, 8_000):
            finite = pool_weights(model.p, np.log(u)[np.newaxis], pool_size)[0]
            errors.append(np.abs(pool_size * (finite - relative) - correction).max())
        scale = relative.max() ** 3
        assert errors[0] < 50 * scale / 4_000
        if errors[0] > 1e-7 * scale:  # above what rounding leaves of K (H^K - H)
            assert errors[1] / errors[0] == pytest.approx(0.5, abs=0.02)
            num_models += 1
    assert num_models > 1_000


def test_a_hundred_thousand_atoms_fit_in_200_megabytes() -> None:
    rng = np.random.default_rng(8)
    p, rewards = rng.dirichlet(np.ones(100_000)), rng.normal(size=(1, 100_000))
    tracemalloc.start()
    weights = pool_weights(p, rewards, 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert float(weights[0] @ p) == pytest.approx(1, abs=1e-12)


def test_an_atom_without_mass_gets_what_a_candidate_there_would() -> None:
    p, rewards = np.array([0.5, 0.5, 0.0]), np.array([[0.0, 1.0, 2.0]])
    expected = brute_force_weights(p, np.exp(rewards[0]), 4)
    np.testing.assert_allclose(pool_weights(p, rewards, 4)[0], expected, rtol=1e-12)
    np.testing.assert_allclose(_by_integral(p, rewards[0], 4), expected, rtol=1e-12)
