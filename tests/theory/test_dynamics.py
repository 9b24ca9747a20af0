import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tests.theory.models import basin_models, infinite_step, masses_of, random_models
from theory.dynamics import (
    contraction,
    iterate,
    multiplier,
    outside_mass,
    selection_weights,
    step,
    trajectory,
)

FloatArray = npt.NDArray[np.float64]


def test_the_update_with_infinitely_many_candidates_is_the_tilt() -> None:
    for model in random_models(20):
        after = step(model.p, model.rewards, model.weights, temperature=model.temperature)
        np.testing.assert_allclose(after, infinite_step(model, model.p), rtol=1e-11, atol=0)
        assert after.sum() == pytest.approx(1, abs=1e-12)
        weights = multiplier(model.p, model.rewards, model.weights, temperature=model.temperature)
        np.testing.assert_allclose(model.p * weights, after, rtol=1e-11, atol=0)
        assert model.p @ weights == pytest.approx(1, abs=1e-12)


def test_selection_weights_and_multiplier_give_the_step_for_every_kind_of_pool() -> None:
    rng = np.random.default_rng(21)
    for model in random_models(21, holes=False):
        pool_size = [None, 1, 2, 5][int(rng.integers(4))]
        temperature = float(rng.choice([0.0, model.temperature]))
        weights = selection_weights(
            model.p, model.rewards, pool_size=pool_size, temperature=temperature
        )
        after = step(
            model.p, model.rewards, model.weights, pool_size=pool_size, temperature=temperature
        )
        np.testing.assert_allclose(
            model.p * (model.weights @ weights), after, rtol=1e-10, atol=1e-300
        )


def test_large_pools_lead_to_the_tilt() -> None:
    for model in random_models(22, 300, atoms=(2, 6)):
        limit = step(model.p, model.rewards, model.weights, temperature=5.0)
        near = step(model.p, model.rewards, model.weights, temperature=5.0, pool_size=10**8)
        np.testing.assert_allclose(near, limit, atol=1e-6)


def test_iterate_repeats_the_step_and_trajectory_yields_its_rows() -> None:
    for number, model in enumerate(random_models(23, 300)):
        pool_size = [None, 3][number % 2]
        arguments = (model.p, model.rewards, model.weights)
        table = iterate(*arguments, iterations=4, pool_size=pool_size)
        assert table.shape == (5, len(model.p))
        np.testing.assert_array_equal(table[0], model.p)
        for before, after in pairwise(table):
            expected = step(before, *arguments[1:], pool_size=pool_size)
            np.testing.assert_allclose(after, expected, rtol=1e-10, atol=1e-250)
        rows = list(trajectory(*arguments, iterations=4, pool_size=pool_size))
        np.testing.assert_array_equal(rows, table)


def test_weights_may_change_from_round_to_round() -> None:
    p, rewards = np.array([0.25, 0.5, 0.25]), np.array([[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]])
    path = iterate(p, rewards, [[1.0, 0.0], [0.0, 1.0]], iterations=2)
    np.testing.assert_allclose(path[1], step(p, rewards, [1.0, 0.0]))
    np.testing.assert_allclose(path[2], p)  # the tilts cancel


def test_yielded_arrays_are_not_written_to_afterwards() -> None:
    for pool_size in (None, 3):
        start = np.array([0.5, 0.5])
        rewards = [[0.0, 1.0], [1.0, 0.0]]
        path = trajectory(start, rewards, [0.9, 0.1], iterations=5, pool_size=pool_size)
        kept = [(row, row.copy()) for row in path]
        assert all((row == copy).all() for row, copy in kept)
        start[:] = 0
        assert kept[0][0][0] == 0.5


def test_no_iterations_leave_the_start() -> None:
    assert iterate([1.0], [[3.0]], [1.0], iterations=0).tolist() == [[1.0]]


def test_adding_a_constant_to_a_reward_changes_nothing() -> None:
    rng = np.random.default_rng(24)
    for model in random_models(24, 500):
        shifted = model.rewards + rng.normal(size=(len(model.rewards), 1)) * 50
        for pool_size in (None, 2):
            np.testing.assert_allclose(
                step(model.p, shifted, model.weights, pool_size=pool_size),
                step(model.p, model.rewards, model.weights, pool_size=pool_size),
                rtol=1e-10,
            )


def test_the_order_of_atoms_and_of_rewards_does_not_matter() -> None:
    rng = np.random.default_rng(25)
    for model in random_models(25, 500):
        atoms, rows = rng.permutation(len(model.p)), rng.permutation(len(model.weights))
        for pool_size in (None, 3):
            np.testing.assert_allclose(
                step(
                    model.p[atoms],
                    model.rewards[rows][:, atoms],
                    model.weights[rows],
                    pool_size=pool_size,
                ),
                step(model.p, model.rewards, model.weights, pool_size=pool_size)[atoms],
                rtol=1e-10,
            )


def test_at_temperature_zero_each_reward_gives_its_weight_to_its_best_atoms() -> None:
    p = np.array([0.2, 0.3, 0.5, 0.0])
    rewards = np.array([[1.0, 1.0, 0.0, 9.0], [0.0, 0.0, 2.0, 2.0]])
    after = step(p, rewards, [0.4, 0.6], temperature=0.0)
    np.testing.assert_allclose(after, [0.16, 0.24, 0.6, 0.0])
    weights = selection_weights(p, rewards, temperature=0.0)
    np.testing.assert_allclose(weights, [[2.0, 2.0, 0.0, np.inf], [0.0, 0.0, 2.0, 2.0]])


def test_mass_outside_shrinks_by_at_least_the_contraction() -> None:
    rng = np.random.default_rng(26)
    num_sufficient = 0
    for model in basin_models(26):
        inside = model.basins.any(axis=0)
        pool_size = [None, 2, 4][int(rng.integers(3))]
        settings = {"pool_size": pool_size, "temperature": model.temperature}
        arguments = (model.rewards, model.weights)
        rho = contraction(model.p, *arguments, inside, **settings)  # type: ignore[arg-type]
        after = step(model.p, *arguments, **settings)  # type: ignore[arg-type]
        before = outside_mass(model.p, inside)
        assert outside_mass(after / after.sum(), inside) <= rho * before * (1 + 1e-11) + 1e-300
        assert (rho == 0) == (before == 0)
        num_sufficient += rho < 1
    assert 100 < num_sufficient < 1_900  # rho < 1 is an assumption, met by some and not by others


def test_contraction_is_zero_when_nothing_is_outside() -> None:
    assert contraction([1.0, 0.0], [[0.0, 5.0]], [1.0], [True, False]) == 0.0
    assert outside_mass([0.25, 0.75], [True, False]) == 0.75


def test_a_reward_that_is_never_used_adds_no_infinity() -> None:
    weights = multiplier([1.0, 0.0], [[0.0, 1e4], [0.0, 1.0]], [0.0, 1.0])
    np.testing.assert_allclose(weights, [1.0, math.e])


def test_the_weighted_log_of_mean_exponentials_never_falls() -> None:
    # The tilt is an EM step for sum_i pi_i log E_p[u_i], which makes closed-form limits maxima.
    for model in random_models(27):
        u = np.exp((model.rewards - model.rewards.max()) / model.temperature)
        path = iterate(
            model.p, model.rewards, model.weights, iterations=3, temperature=model.temperature
        )
        values = [float(model.weights @ np.log(u @ p)) for p in path]
        assert (np.diff(values) >= -1e-12 * max(1.0, abs(values[0]))).all()


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_outside_mass_on_a_line_is_the_error_function(temperature: float) -> None:
    axis = np.linspace(-20.0, 20.0, 80_001)
    epsilon, gamma = 0.3, 1.7
    rewards = -gamma * np.stack([(axis + 10) ** 2, (axis - 10) ** 2])
    inside = (rewards >= -epsilon).any(axis=0)
    start = np.full(len(axis), 1 / len(axis))
    path = trajectory(start, rewards, [0.4, 0.6], iterations=12, temperature=temperature)
    next(path)
    for number, p in enumerate(path, start=1):
        expected = math.erfc(math.sqrt(epsilon * number / temperature))
        assert p[~inside].sum() == pytest.approx(expected, rel=0.01)


def test_outside_mass_in_the_plane_is_exponential() -> None:
    x, y = np.meshgrid(np.linspace(-10, 10, 1_001), np.linspace(-5, 5, 501))
    rewards = -np.stack([((x + 5) ** 2 + y**2).ravel(), ((x - 5) ** 2 + y**2).ravel()])
    epsilon, temperature = 0.5, 2.0
    inside = (rewards >= -epsilon).any(axis=0)
    start = np.full(x.size, 1 / x.size)
    path = trajectory(start, rewards, [0.5, 0.5], iterations=8, temperature=temperature)
    next(path)
    for number, p in enumerate(path, start=1):
        expected = math.exp(-epsilon * number / temperature)
        assert p[~inside].sum() == pytest.approx(expected, rel=0.02)


def test_reward_drawn_once_a_round_collapses_where_a_draw_each_does_not() -> None:
    rng = np.random.default_rng(28)
    rewards = [[0.0, -3.0], [-3.0, 0.0]]
    drawn = np.eye(2)[rng.integers(0, 2, 2_000)]
    once = iterate([0.5, 0.5], rewards, drawn, iterations=2_000)
    each = iterate([0.5, 0.5], rewards, [0.5, 0.5], iterations=2_000)
    assert each[-1].min() == pytest.approx(0.5)
    assert np.median(once.min(axis=1)[-500:]) < 1e-6
    assert masses_of(once[-1], np.eye(2, dtype=np.bool_))[0].sum() == pytest.approx(1)
