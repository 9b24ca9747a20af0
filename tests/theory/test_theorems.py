"""Results that join several modules, each on thousands of random models."""

import numpy as np
import numpy.typing as npt
import pytest

from tests.theory.models import basin_models
from theory.dynamics import iterate, multiplier
from theory.limits import (
    gaussian_tilt,
    one_component_step,
    quadratic_limit,
    two_atom_share,
)

FloatArray = npt.NDArray[np.float64]


@pytest.mark.parametrize("pool_size", [None, 5])
def test_plateaus_keep_the_conditionals_of_their_basins(pool_size: int | None) -> None:
    rng = np.random.default_rng(120)
    for model in basin_models(120, num_rewards=2 if pool_size else 3):
        rewards = model.rewards.copy()
        for basin in model.basins:
            rewards[:, basin] = rng.normal(0, 2, (len(rewards), 1))
        path = iterate(
            model.p,
            rewards,
            model.weights,
            iterations=4,
            pool_size=pool_size,
            temperature=model.temperature,
        )
        for basin in model.basins:
            inside = path[:, basin]
            inside = inside[inside.sum(axis=1) > 1e-200]
            shares = inside / inside.sum(axis=1, keepdims=True)
            assert np.abs(shares - shares[0]).max() <= 1e-12


def test_plateaus_end_as_a_mixture_of_the_conditionals_at_the_share_of_two_atoms() -> None:
    # Rewards: r* on the own plateau, r* - Delta on the other, far less outside.
    rng = np.random.default_rng(121)
    for _ in range(2_000):
        eta = rng.uniform(0.0, 0.3, 2)
        q, temperature = rng.uniform(0.4, 0.6), float(rng.choice([0.5, 1.0, 2.0]))
        tops, gap = rng.normal(0, 3, 2), -temperature * np.log(np.maximum(eta, 1e-30))
        basins = np.repeat(np.eye(3, dtype=np.bool_), 3, axis=1)[:2]  # the last three are outside
        p = rng.dirichlet(np.ones(9))
        rewards = np.where(basins, tops[:, None], (tops - gap)[:, None])
        rewards[:, 6:] = (tops - 9 * temperature)[:, None] - rng.exponential(1, (2, 3))
        *_, last = iterate(p, rewards, (q, 1 - q), iterations=150, temperature=temperature)
        assert last[6:].sum() < 1e-12
        share = two_atom_share(q, *np.maximum(eta, 1e-30))
        conditionals = basins * p / (basins @ p)[:, None]
        expected = share * conditionals[0] + (1 - share) * conditionals[1]
        np.testing.assert_allclose(last, expected, atol=1e-9)
        # Rewards and variances that follow from it.
        for i, weight in enumerate((share, 1 - share)):
            mean = float(last @ rewards[i])
            assert mean == pytest.approx(
                weight * tops[i] + (1 - weight) * (tops[i] - gap[i]), abs=1e-6
            )
            variance = float(last @ (rewards[i] - mean) ** 2)
            assert variance == pytest.approx(weight * (1 - weight) * gap[i] ** 2, rel=1e-5)


def test_plateaus_far_apart_end_at_the_weights_and_the_mean_rewards_they_give() -> None:
    rng = np.random.default_rng(122)
    for q, a_1, b_1, a_2, b_2 in rng.uniform(0.05, 1, (2_000, 5)):
        rewards = 200 * np.array([[a_1 + 1, b_1], [b_2, a_2 + 1]])
        *_, last = iterate([0.3, 0.7], rewards, (q, 1 - q), iterations=60)
        if min(a_1 + 1 - b_1, a_2 + 1 - b_2) > 0.2:  # leakage below exp(-40)
            assert last[0] == pytest.approx(q, abs=1e-12)
            assert rewards @ last == pytest.approx(
                [
                    q * rewards[0, 0] + (1 - q) * rewards[0, 1],
                    q * rewards[1, 0] + (1 - q) * rewards[1, 1],
                ]
            )


def test_the_limit_of_two_quadratics_is_the_best_density_on_the_axis() -> None:
    # The update maximises sum_i pi_i log E_p[u_i], concave in p. At its maximum, and only there,
    # W <= 1 everywhere and W = 1 where p has mass.
    rng = np.random.default_rng(123)
    num_two = 0
    for _ in range(2_000):
        q, distance = rng.uniform(0.02, 0.98), rng.uniform(0.2, 6)
        gamma, temperature = rng.lognormal(0, 0.5), rng.lognormal(0, 0.5)
        limit = quadratic_limit(q, distance, gamma, temperature)
        assert limit.shares.sum() == pytest.approx(1)
        axis = np.append(limit.mode_positions, np.linspace(-distance, distance, 301))
        p = np.zeros(len(axis))
        p[:2] = limit.shares
        centres = np.array([[-distance / 2], [distance / 2]])
        rewards = -gamma * (axis - centres) ** 2
        growth = multiplier(p, rewards, (q, 1 - q), temperature=temperature)
        assert growth[:2] == pytest.approx([1, 1], abs=1e-9)
        assert growth.max() <= 1 + 1e-9
        means = rewards @ p
        np.testing.assert_allclose(limit.reward_means, means, atol=1e-9)
        variances = (rewards - means[:, None]) ** 2 @ p
        np.testing.assert_allclose(limit.reward_variances, variances, atol=1e-8)
        if limit.num_modes == 2:
            num_two += 1
            tilt, m = 2 * q - 1, limit.order_parameter
            strength = gamma * distance**2
            expected = -strength / 4 * (1 + m**2 - 2 * tilt)
            assert limit.reward_means[0] == pytest.approx(expected, abs=1e-9)
            expected = strength**2 / 4 * (m**2 - tilt**2)
            np.testing.assert_allclose(limit.reward_variances, expected, atol=1e-7, rtol=1e-9)
    assert 500 < num_two < 1_900


def moments(axis: FloatArray, density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of densities (B, cells) on axes (B, cells)."""
    density = density / density.sum(axis=1, keepdims=True)
    mean = (axis * density).sum(axis=1)
    return mean, ((axis - mean[:, None]) ** 2 * density).sum(axis=1)


def test_one_component_moves_as_a_gaussian_refitted_after_a_round_on_a_grid() -> None:
    rng = np.random.default_rng(124)
    size = 2_000
    q, distance = rng.uniform(0, 1, size), rng.uniform(0, 4, size)
    gamma, temperature = rng.lognormal(0, 0.5, (2, size))
    centre, variance = rng.normal(0, 1, size), rng.lognormal(0, 0.7, size)
    half = (10 * np.sqrt(variance) + distance)[:, None]
    axis = centre[:, None] + half * np.linspace(-1, 1, 1_001)
    normal = np.exp(-((axis - centre[:, None]) ** 2) / (2 * variance[:, None]))
    after = np.zeros_like(normal)
    narrowed = np.zeros(size)
    for weight, side in ((q, -0.5), (1 - q, 0.5)):
        away = axis - side * distance[:, None]
        tilted = normal * np.exp(-(gamma / temperature)[:, None] * away**2)
        tilted /= tilted.sum(axis=1, keepdims=True)
        after += weight[:, None] * tilted
        narrowed = moments(axis, tilted)[1]
    mean, spread = moments(axis, after)
    for i in range(size):
        settings = {"gamma": gamma[i], "temperature": temperature[i]}
        found = one_component_step(
            centre[i], variance[i], variance[i], q=q[i], distance=distance[i], **settings
        )
        assert found == pytest.approx((mean[i], spread[i], narrowed[i]), rel=1e-8, abs=1e-8)
        tilted_variance = gaussian_tilt(variance[i], **settings)
        assert tilted_variance == pytest.approx(narrowed[i], rel=1e-8)
        rate = gamma[i] / temperature[i]
        assert 1 / tilted_variance == pytest.approx(1 / variance[i] + 2 * rate, rel=1e-12)
