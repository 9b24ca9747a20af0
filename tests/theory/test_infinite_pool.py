import numpy as np
import numpy.typing as npt
import pytest

from theory import infinite_pool
from theory.dynamics import iterate, step
from theory.infinite_pool import TiltedDensity

FloatArray = npt.NDArray[np.float64]


def logarithms_of_path(
    p: FloatArray,  # (n,)
    rewards: FloatArray,  # (R, n)
    weights: FloatArray,  # (T, R)
) -> FloatArray:  # (T + 1, n)
    """log p_t, all in logarithms by pairwise sums."""
    log_p = np.log(p)
    path = [log_p]
    for row in weights:
        means = np.logaddexp.reduce(rewards + log_p, axis=1)
        log_p = log_p + np.logaddexp.reduce(rewards - means[:, None] + np.log(row)[:, None], axis=0)
        path.append(log_p)
    return np.stack(path)


def test_an_atom_too_small_to_show_comes_back_when_the_weights_turn() -> None:
    rewards = np.array([[0.0, 30.0], [30.0, 0.0]])
    weights = np.repeat([[1 - 1e-9, 1e-9], [1e-9, 1 - 1e-9]], 60, axis=0)
    path = iterate([0.5, 0.5], rewards[:, :], weights, iterations=120)
    expected = np.exp(logarithms_of_path(np.array([0.5, 0.5]), rewards, weights))
    np.testing.assert_allclose(path, expected, rtol=1e-9, atol=1e-300)
    one = np.repeat([[1.0, 0.0], [0.0, 1.0]], 60, axis=0)
    path = iterate([0.5, 0.5], rewards, one, iterations=120)
    assert path[60].tolist() == [0.0, 1.0]  # exp(-1800)
    assert path[90, 0] == pytest.approx(np.exp(-900), abs=1e-300)
    np.testing.assert_allclose(path[119], [1 / (1 + np.exp(30)), 1 / (1 + np.exp(-30))], rtol=1e-9)
    np.testing.assert_allclose(path[120], [0.5, 0.5], rtol=1e-9)


@pytest.mark.parametrize("spread", [400.0, 1e3, 1e6])
def test_rewards_far_apart_neither_overflow_nor_lose_an_atom(spread: float) -> None:
    rng = np.random.default_rng(40)
    p = rng.dirichlet(np.ones(6))
    rewards = rng.uniform(-spread, 0, (3, 6))
    weights = np.tile([0.5, 0.3, 0.2], (8, 1))
    path = iterate(p, rewards, weights, iterations=8)
    expected = np.exp(logarithms_of_path(p, rewards, weights))
    np.testing.assert_allclose(path, expected, rtol=1e-9 * max(1, spread / 1e3), atol=1e-290)


@pytest.mark.parametrize("start", [1e-300, 1e-245])
def test_atoms_small_at_the_start_or_soon_grow_as_they_should(start: float) -> None:
    p = np.array([1 - start, start, 0.0])
    rewards = np.array([[0.0, 20.0, 99.0], [0.0, -20.0, 99.0]])
    weights = np.repeat([[0.01, 0.99], [0.99, 0.01]], 30, axis=0)
    path = iterate(p, rewards, weights, iterations=60)
    expected = np.exp(logarithms_of_path(p[:2], rewards[:, :2], weights))
    np.testing.assert_allclose(path[:, :2], expected, rtol=1e-9, atol=1e-300)
    assert (path[:, 2] == 0).all()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(41)
    p, rewards = rng.dirichlet(np.ones(1_000)), 8 * rng.normal(size=(3, 1_000))
    arguments = (p, rewards, [0.2, 0.3, 0.5])
    whole = iterate(*arguments, iterations=60)
    assert 0 < whole[-1].min() < infinite_pool.SMALLEST or whole[-1].min() == 0
    monkeypatch.setattr(infinite_pool, "BLOCK_ATOMS", 7)
    np.testing.assert_allclose(iterate(*arguments, iterations=60), whole, rtol=1e-9, atol=1e-300)


def test_a_density_in_blocks_mixes_atoms_in_logarithms_with_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(infinite_pool, "BLOCK_ATOMS", 2)
    p = np.array([0.25, 0.25, 0.25, 0.25])
    rewards = np.array([[0.0, -1.0, -60.0, -70.0]])
    density = TiltedDensity(p, rewards, 1.0)
    for number in range(1, 20):
        after = density.advance(np.array([1.0]))
        expected = np.exp(number * rewards[0])
        np.testing.assert_allclose(after, expected / expected.sum(), rtol=1e-11, atol=1e-307)


def test_the_step_and_the_path_agree_on_the_first_round() -> None:
    rng = np.random.default_rng(42)
    p, rewards = rng.dirichlet(np.ones(50)), rng.normal(size=(2, 50))
    path = iterate(p, rewards, [0.3, 0.7], iterations=1, temperature=0.4)
    np.testing.assert_array_equal(step(p, rewards, [0.3, 0.7], temperature=0.4), path[1])
