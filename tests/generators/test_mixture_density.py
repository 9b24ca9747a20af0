"""Density of a mixture, and the rows its first model was fitted to."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import multivariate_normal

from data.errors import BadNumbers
from generators.mixture import Mixture, MixtureConfig, MixtureInitial, fit_mixture
from generators.warm_em import Components, EmFit
from tests.generators.mixtures import TWO, points_of_two, table


def mixture() -> Mixture:
    return Mixture(MixtureConfig(), EmFit(TWO, np.empty(0), 0, True))


def test_the_density_is_that_of_scipy() -> None:
    points = points_of_two(200)
    expected = sum(
        weight * multivariate_normal(mean, covariance).pdf(points)
        for weight, mean, covariance in zip(TWO.weights, TWO.means, TWO.covariances, strict=True)
    )
    np.testing.assert_allclose(mixture().log_density(table(points)), np.log(expected), rtol=1e-10)


def test_the_density_integrates_to_one() -> None:
    side = np.linspace(-12, 12, 481)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    total = np.exp(mixture().log_density(table(grid))).sum() * (side[1] - side[0]) ** 2
    assert total == pytest.approx(1, abs=1e-9)


def test_far_away_the_logarithm_stays_finite() -> None:
    far = mixture().log_density(pa.table({"x": [1e4], "y": [-1e4]}))
    assert np.isfinite(far).all()
    assert far[0] < -1e7


def test_a_component_without_weight_adds_nothing() -> None:
    extended = Components(
        np.append(TWO.weights, 0.0),
        np.vstack([TWO.means, [[0.0, 0.0]]]),
        np.vstack([TWO.covariances, [np.eye(2)]]),
    )
    points = table(points_of_two(20))
    found = Mixture(MixtureConfig(), EmFit(extended, np.empty(0), 0, True)).log_density(points)
    np.testing.assert_allclose(found, mixture().log_density(points), rtol=1e-12)


def test_points_that_are_not_finite_have_no_density() -> None:
    with pytest.raises(BadNumbers, match="generator mixture"):
        mixture().log_density(pa.table({"x": [np.nan], "y": [0.0]}))


def test_the_initial_model_is_fitted_to_the_real_rows_of_the_same_seed() -> None:
    config, initial = MixtureConfig(), MixtureInitial(num_points=60, mean=(1.0, 2.0))
    real = Mixture.real_data(config, initial, seed=5)
    points = np.column_stack([real["x"].to_numpy(), real["y"].to_numpy()])
    again = fit_mixture(points, 1, config, start=TWO)
    first = Mixture.initial(config, initial, seed=5)
    np.testing.assert_array_equal(first.fit.components.means, again.components.means)
    np.testing.assert_array_equal(first.fit.components.covariances, again.components.covariances)
    np.testing.assert_allclose(first.fit.components.means[0], points.mean(axis=0), rtol=1e-9)


def test_real_rows_follow_the_seed_and_the_configured_gaussian() -> None:
    config, initial = MixtureConfig(), MixtureInitial(num_points=4000, mean=(1.0, -2.0))
    first, again, other = (Mixture.real_data(config, initial, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    means = [np.mean(first[name].to_numpy()) for name in ("x", "y")]
    assert means == pytest.approx([1.0, -2.0], abs=4 / np.sqrt(4000))
