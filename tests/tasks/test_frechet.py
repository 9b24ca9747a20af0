"""Fréchet distance: closed forms, a naive reference, invariances, both routes."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from data.errors import BadNumbers, ConfigError
from tasks import frechet
from tasks.frechet import (
    FeatureMoments,
    FloatArray,
    frechet_distance_squared,
    moments_of,
    total_variance,
)
from tasks.point_metrics import frechet_distance, moments


def gaussian(mean: FloatArray, covariance: FloatArray) -> FeatureMoments:
    return FeatureMoments(mean, covariance, None, 100)


def features_of(n: int, width: int, *, seed: int) -> FloatArray:
    """Correlated samples away from the origin."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(width, width)) / np.sqrt(width)
    features: FloatArray = rng.normal(size=(n, width)) @ mixing + rng.normal(size=width)
    return features


def naive(first: FeatureMoments, second: FeatureMoments) -> float:
    product = scipy.linalg.sqrtm(first.covariance @ second.covariance)
    traces = np.trace(first.covariance) + np.trace(second.covariance) - 2 * np.trace(product).real
    return float(np.sum((first.mean - second.mean) ** 2) + traces)


def test_diagonal_gaussians_have_a_closed_form() -> None:
    first, second = np.array([1.0, 4.0, 0.25]), np.array([9.0, 1.0, 0.0])
    mean = np.array([0.0, 1.0, -2.0])
    distance = frechet_distance_squared(
        gaussian(np.zeros(3), np.diag(first)), gaussian(mean, np.diag(second))
    )
    expected = np.sum(mean**2) + np.sum((np.sqrt(first) - np.sqrt(second)) ** 2)
    assert distance == pytest.approx(expected, rel=1e-12)


def test_moments_are_those_of_numpy_with_divisor_n_minus_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frechet, "CHUNK_ROWS", 7)
    features = features_of(50, 6, seed=0)
    found = moments_of(features)
    np.testing.assert_allclose(found.mean, features.mean(axis=0))
    np.testing.assert_allclose(found.covariance, np.cov(features.T), atol=1e-14)
    assert (found.count, found.root) == (50, None)
    assert total_variance(features) == pytest.approx(np.trace(np.cov(features.T)))


def test_the_root_squares_to_the_covariance_and_is_kept() -> None:
    moments = moments_of(features_of(40, 8, seed=1)).with_root()
    assert moments.root is not None
    np.testing.assert_allclose(moments.root.T @ moments.root, moments.covariance, atol=1e-13)
    np.testing.assert_array_equal(moments.root, np.triu(moments.root))
    assert moments.with_root() is moments


def test_equal_moments_have_no_distance_also_without_full_rank() -> None:
    for n in (200, 10):
        features = features_of(n, 20, seed=2)
        reference = moments_of(features).with_root()
        assert frechet_distance_squared(reference, features) <= 1e-10
        assert frechet_distance_squared(reference, moments_of(features)) <= 1e-10


def test_a_shift_counts_with_its_square() -> None:
    features = features_of(300, 5, seed=3)
    shift = np.array([1.0, 0.0, -2.0, 0.0, 3.0])
    distance = frechet_distance_squared(moments_of(features), features + shift)
    assert distance == pytest.approx(14.0)


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_the_naive_matrix_square_root(seed: int) -> None:
    first = moments_of(features_of(90, 30, seed=seed)).with_root()
    second = moments_of(features_of(80, 30, seed=seed + 10))
    assert frechet_distance_squared(first, second) == pytest.approx(naive(first, second), rel=1e-10)


@pytest.mark.parametrize("n", [2, 12, 29])
def test_fewer_samples_than_features_give_the_same_by_the_smaller_matrix(n: int) -> None:
    reference = moments_of(features_of(100, 30, seed=5))
    few = features_of(n, 30, seed=6)
    smaller = frechet_distance_squared(reference, few)
    assert smaller == pytest.approx(frechet_distance_squared(reference, moments_of(few)), rel=1e-9)


def test_a_rotation_of_both_changes_nothing() -> None:
    first, second = features_of(60, 10, seed=7), features_of(50, 10, seed=8)
    turn = scipy.stats.ortho_group.rvs(10, random_state=9)
    before = frechet_distance_squared(moments_of(first), second)
    after = frechet_distance_squared(moments_of(first @ turn), second @ turn)
    assert after == pytest.approx(before, rel=1e-11)


def test_a_kept_root_changes_nothing() -> None:
    reference, second = moments_of(features_of(60, 10, seed=7)), features_of(50, 10, seed=8)
    assert frechet_distance_squared(reference, second) == frechet_distance_squared(
        reference.with_root(), second
    )


def test_features_that_never_respond_add_nothing() -> None:
    first, second = features_of(60, 10, seed=7), features_of(50, 10, seed=8)
    before = frechet_distance_squared(moments_of(first), second)
    silent = [np.hstack([one, np.full((len(one), 30), 0.5)]) for one in (first, second)]
    after = frechet_distance_squared(moments_of(silent[0]), moments_of(silent[1]))
    assert after == pytest.approx(before, rel=1e-11)


def test_single_precision_is_summed_in_double() -> None:
    features = (features_of(5_000, 4, seed=1) + 300).astype(np.float32)
    np.testing.assert_allclose(
        moments_of(features).covariance, np.cov(features.astype(np.float64).T), rtol=1e-10
    )


def test_for_points_it_is_the_square_of_the_distance_of_their_moments() -> None:
    first, second = features_of(40, 2, seed=1), features_of(30, 2, seed=2)
    as_gaussians = [gaussian(*moments(points)) for points in (first, second)]
    expected = frechet_distance(moments(first), moments(second)) ** 2
    assert frechet_distance_squared(as_gaussians[0], as_gaussians[1]) == pytest.approx(expected)


def test_a_single_sample_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least 2 samples, got 1; raise evaluation"):
        moments_of(np.zeros((1, 3)))


def test_another_number_of_features_is_refused() -> None:
    reference = moments_of(features_of(9, 3, seed=0))
    for samples in (np.ones((9, 4)), moments_of(np.ones((9, 4)))):
        with pytest.raises(ConfigError, match=r"expected 3 a sample .* got 4; take both from one"):
            frechet_distance_squared(reference, samples)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_row(value: float) -> None:
    features = np.zeros((6, 3), np.float32)
    features[4, 1:] = value, -value
    with pytest.raises(BadNumbers, match=r"in row 4 \(1 such rows of 6\); correct what"):
        frechet_distance_squared(gaussian(np.zeros(3), np.eye(3)), features)
