import math

import numpy as np
import numpy.typing as npt
import pytest

from theory.limits import (
    gaussian_tilt,
    one_component_path,
    one_component_step,
    order_parameter,
    quadratic_limit,
    quadratic_reward_moments,
)

FloatArray = npt.NDArray[np.float64]


def update(
    density: FloatArray,  # (cells,), sum 1
    axis: FloatArray,  # (cells,)
    *,
    q: float,
    distance: float,
    gamma: float,
    temperature: float,
) -> FloatArray:
    """p' = p sum_i pi_i u_i / E_p[u_i] on a grid along the axis."""
    multiplier = np.zeros_like(density)
    for weight, centre in ((q, -distance / 2), (1 - q, distance / 2)):
        tilt = np.exp(-gamma * (axis - centre) ** 2 / temperature)
        multiplier += weight * tilt / (density @ tilt)
    after: FloatArray = density * multiplier
    return after


def normal(axis: FloatArray, mean: float, variance: float) -> FloatArray:
    density: FloatArray = np.exp(-((axis - mean) ** 2) / (2 * variance))
    return density / float(density.sum())


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_order_parameter_is_zero_up_to_the_transition(beta: float) -> None:
    assert order_parameter(beta) == 0.0


@pytest.mark.parametrize("beta", [1.01, 1.1, 1.5, 3.0, 8.0])
def test_order_parameter_is_the_largest_root(beta: float) -> None:
    m = order_parameter(beta)
    assert m == pytest.approx(math.tanh(beta * m), abs=1e-14)
    above = np.linspace(m + 1e-6, 1.5, 1000)
    assert (above > np.tanh(beta * above)).all()
    assert m > 0


def test_order_parameter_grows_like_a_square_root_at_the_transition() -> None:
    for excess in (1e-4, 1e-6, 1e-8):
        assert order_parameter(1 + excess) == pytest.approx(math.sqrt(3 * excess), rel=1e-3)
    assert 0 <= order_parameter(1 + 2**-52) < 1e-6
    assert order_parameter(1e9) == 1.0


@pytest.mark.parametrize(
    ("q", "distance", "gamma", "temperature"),
    [
        (0.5, 3.0, 1.0, 1.0),
        (0.7, 3.0, 1.0, 2.0),
        (0.35, 4.0, 0.5, 1.0),
        (0.2, 2.0, 2.0, 1.5),
    ],
)
def test_limit_is_where_the_update_on_a_grid_ends(
    q: float, distance: float, gamma: float, temperature: float
) -> None:
    axis = np.linspace(-3.0, 3.0, 241)
    density = np.full(len(axis), 1 / len(axis))
    for _ in range(20_000):
        density = update(
            density, axis, q=q, distance=distance, gamma=gamma, temperature=temperature
        )
    limit = quadratic_limit(q, distance, gamma, temperature)
    assert limit.num_modes == 2
    left = axis < 0
    # The grid has steps of 0.025, and peaks on a grid narrow to a cell only slowly.
    assert density[left].sum() == pytest.approx(limit.shares[0], abs=0.01)
    assert density[~left].sum() == pytest.approx(limit.shares[1], abs=0.01)
    for side, position in zip((left, ~left), limit.mode_positions, strict=True):
        centre = density[side] @ axis[side] / density[side].sum()
        assert centre == pytest.approx(position, abs=0.0125)
    for index, sign in enumerate((-1, 1)):
        reward = -gamma * (axis - sign * distance / 2) ** 2
        expected = density @ reward
        scale = gamma * distance**2
        assert expected == pytest.approx(limit.reward_means[index], abs=0.01 * scale)
        variance = density @ (reward - expected) ** 2
        assert variance == pytest.approx(limit.reward_variances[index], abs=0.02 * scale**2)


@pytest.mark.parametrize(("q", "distance"), [(0.5, 1.0), (0.9, 1.6), (0.1, 1.6), (1.0, 3.0)])
def test_compromise_is_where_the_update_on_a_grid_ends(q: float, distance: float) -> None:
    axis = np.linspace(-3.0, 3.0, 241)
    density = np.full(len(axis), 1 / len(axis))
    for _ in range(5000):
        density = update(density, axis, q=q, distance=distance, gamma=1.0, temperature=1.0)
    limit = quadratic_limit(q, distance, 1.0)
    assert limit.num_modes == 1
    mean = density @ axis
    assert mean == pytest.approx(limit.mode_positions[0], abs=0.0125)
    assert density @ (axis - mean) ** 2 < 0.02
    np.testing.assert_allclose(limit.reward_variances, 0.0, atol=1e-15)
    np.testing.assert_allclose(
        limit.reward_means, [-(((1 - q) * distance) ** 2), -((q * distance) ** 2)]
    )


@pytest.mark.parametrize("q", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_moments_in_the_phase_of_two_modes_have_their_closed_form(q: float) -> None:
    gamma, distance = 1.3, 4.0
    limit = quadratic_limit(q, distance, gamma)
    m, tilt = limit.order_parameter, 2 * q - 1
    spread = gamma**2 * distance**4 / 4 * (m**2 - tilt**2)
    np.testing.assert_allclose(limit.reward_variances, [spread, spread])
    half = gamma * distance**2 / 4
    np.testing.assert_allclose(
        limit.reward_means, [-half * (1 + m**2 - 2 * tilt), -half * (1 + m**2 + 2 * tilt)]
    )
    assert limit.shares[0] == pytest.approx((1 + tilt / m) / 2)


def test_swapping_the_rewards_mirrors_the_limit() -> None:
    for q, distance in ((0.3, 4.0), (0.05, 1.5), (0.0, 2.0)):
        limit, mirrored = quadratic_limit(q, distance, 1.0), quadratic_limit(1 - q, distance, 1.0)
        np.testing.assert_allclose(limit.shares, mirrored.shares[::-1], atol=1e-12)
        np.testing.assert_allclose(limit.mode_positions, -mirrored.mode_positions[::-1], atol=1e-12)
        np.testing.assert_allclose(limit.reward_means, mirrored.reward_means[::-1], atol=1e-12)


@pytest.mark.parametrize(("gamma", "temperature"), [(0.5, 1.0), (1.0, 1.0), (2.0, 3.0)])
def test_two_modes_of_equal_weight_appear_at_the_critical_distance(
    gamma: float, temperature: float
) -> None:
    critical = math.sqrt(2 * temperature / gamma)
    assert quadratic_limit(0.5, 0.999 * critical, gamma, temperature).num_modes == 1
    assert quadratic_limit(0.5, 1.001 * critical, gamma, temperature).num_modes == 2


@pytest.mark.parametrize(("q", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_one_preference_alone_takes_everything(q: float, share: float) -> None:
    for distance in (0.5, 6.0, 100.0):
        limit = quadratic_limit(q, distance, 1.0)
        assert limit.num_modes == 1
        np.testing.assert_array_equal(limit.shares, [share, 1 - share])
        assert limit.reward_means[0 if q else 1] == 0.0
        np.testing.assert_array_equal(limit.reward_variances, [0.0, 0.0])


def test_equal_centres_give_one_mode_there() -> None:
    limit = quadratic_limit(0.5, 0.0, 1.0)
    assert limit.num_modes == 1
    np.testing.assert_array_equal(limit.mode_positions, [0.0, 0.0])
    np.testing.assert_array_equal(limit.shares, [0.5, 0.5])
    np.testing.assert_array_equal(limit.reward_means, [0.0, 0.0])


def test_a_single_reward_keeps_a_gaussian_a_gaussian() -> None:
    axis = np.linspace(-12.0, 12.0, 4001)
    density = normal(axis, 1.0, 1.7)
    after = update(density, axis, q=1.0, distance=4.0, gamma=0.6, temperature=1.5)
    mean = float(after @ axis)
    variance = float(after @ (axis - mean) ** 2)
    assert variance == pytest.approx(gaussian_tilt(1.7, 0.6, 1.5), rel=1e-9)
    assert 1 / gaussian_tilt(1.7, 0.6, 1.5) == pytest.approx(1 / 1.7 + 2 * 0.6 / 1.5)
    np.testing.assert_allclose(after, normal(axis, mean, variance), atol=1e-10)


@pytest.mark.parametrize("q", [0.0, 0.3, 0.5, 1.0])
def test_one_component_step_has_the_moments_of_the_update_on_a_grid(q: float) -> None:
    along, across = np.linspace(-14.0, 14.0, 701), np.linspace(-9.0, 9.0, 401)
    distance, gamma, temperature = 3.0, 0.8, 1.3
    plane = np.outer(normal(along, 0.7, 2.0), normal(across, 0.0, 1.4))
    x, y = np.meshgrid(along, across, indexing="ij")
    multiplier = np.zeros_like(plane)
    for weight, centre in ((q, -distance / 2), (1 - q, distance / 2)):
        tilt = np.exp(-gamma * ((x - centre) ** 2 + y**2) / temperature)
        multiplier += weight * tilt / np.sum(plane * tilt)
    after = plane * multiplier
    step = one_component_step(
        0.7, 2.0, 1.4, q=q, distance=distance, gamma=gamma, temperature=temperature
    )
    mean = np.sum(after * x)
    assert step.centre == pytest.approx(mean, rel=1e-9)
    assert step.variance_along == pytest.approx(np.sum(after * (x - mean) ** 2), rel=1e-9)
    assert step.variance_across == pytest.approx(np.sum(after * y**2), rel=1e-9)


def test_one_component_path_starts_at_the_start_and_ends_at_the_compromise() -> None:
    path = one_component_path(5.0, 1.0, 2.0, q=0.8, distance=0.5, gamma=1.0, iterations=2000)
    assert len(path) == 2001
    assert path[0] == (5.0, 1.0, 2.0)
    assert path[1] == one_component_step(5.0, 1.0, 2.0, q=0.8, distance=0.5, gamma=1.0)
    # Below the transition the Gaussian narrows like 1/(2 g t) around q mu_1 + (1 - q) mu_2.
    assert path[-1].centre == pytest.approx(-0.15, abs=1e-3)
    assert path[-1].variance_across == pytest.approx(1 / (2 * 2000), rel=0.01)


def test_no_iterations_leave_the_start() -> None:
    assert one_component_path(0.0, 1.0, 1.0, q=0.5, distance=1.0, gamma=1.0, iterations=0) == [
        (0.0, 1.0, 1.0)
    ]


def test_reward_moments_are_those_of_samples() -> None:
    mean, centre, gamma = np.array([1.0, -0.5]), np.array([-1.0, 0.5]), 0.7
    covariance = np.array([[1.5, 0.6], [0.6, 0.8]])
    rng = np.random.default_rng(0)
    points = rng.multivariate_normal(mean, covariance, size=400_000)
    rewards = -gamma * np.sum((points - centre) ** 2, axis=1)
    expected, variance = quadratic_reward_moments(mean, covariance, centre, gamma)
    assert rewards.mean() == pytest.approx(expected, abs=5 * math.sqrt(variance / 400_000))
    assert rewards.var() == pytest.approx(variance, rel=0.03)


def test_reward_moments_of_a_point_are_its_reward() -> None:
    zero = np.zeros((2, 2))
    moments = quadratic_reward_moments(np.array([3.0, 4.0]), zero, np.zeros(2), 2.0)
    assert moments == (-50.0, 0.0)


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_share_outside_zero_and_one_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match=r"q: expected a number in \[0, 1\], got"):
        quadratic_limit(q, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"q: expected a number in \[0, 1\], got"):
        one_component_step(0.0, 1.0, 1.0, q=q, distance=1.0, gamma=1.0)


@pytest.mark.parametrize("distance", [-1.0, math.nan, math.inf])
def test_a_negative_distance_is_refused(distance: float) -> None:
    with pytest.raises(ValueError, match="distance: expected a finite number of at least 0, got"):
        quadratic_limit(0.5, distance, 1.0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan])
def test_gamma_and_temperature_have_to_be_positive(wrong: float) -> None:
    with pytest.raises(ValueError, match="gamma: expected a finite positive number, got"):
        quadratic_limit(0.5, 1.0, wrong)
    with pytest.raises(ValueError, match="temperature: expected a finite positive number, got"):
        gaussian_tilt(1.0, 1.0, wrong)


def test_a_negative_variance_is_refused() -> None:
    with pytest.raises(ValueError, match=r"variance: expected .* got -1.0; give s\^2, not s"):
        one_component_step(0.0, 1.0, -1.0, q=0.5, distance=1.0, gamma=1.0)


def test_infinitely_separated_modes_are_fully_ordered() -> None:
    assert order_parameter(np.inf) == 1.0
