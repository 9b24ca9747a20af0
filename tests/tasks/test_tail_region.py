"""The region of 95 % of p_0: its law, closed forms, shrinkage, files."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from data.errors import BadNumbers, ConfigError
from tasks.frechet import FloatArray
from tasks.tail_region import (
    TAIL_SHARE,
    TENSORS,
    fit_tail_region,
    read_tail_region,
    write_tail_region,
)


def of_p_0(n: int, width: int, *, seed: int) -> FloatArray:
    scales = np.linspace(0.5, 3, width)
    return np.random.default_rng(seed).normal(size=(n, width)) * scales + 5


# Also with fewer samples than features, where the ellipsoid is mostly shrinkage.
@pytest.mark.parametrize(("num_fitted", "width"), [(20_000, 3), (2_000, 300), (400, 500)])
def test_fresh_samples_of_p_0_cover_its_tails_once(num_fitted: int, width: int) -> None:
    region = fit_tail_region(of_p_0(num_fitted, width, seed=0))
    measured = region.coverage(of_p_0(5_000, width, seed=1))
    # Sampling noise of the bound (half of the fitted ones) and of the share outside.
    deviation = np.sqrt((2 / num_fitted + 1 / 5_000) * (1 - TAIL_SHARE) / TAIL_SHARE)
    assert measured == pytest.approx(1, abs=4 * deviation)


def test_for_a_gaussian_the_bound_is_a_quantile_of_chi_squared() -> None:
    region = fit_tail_region(of_p_0(40_000, 3, seed=2))
    assert region.bound == pytest.approx(chi2.ppf(1 - TAIL_SHARE, 3), rel=0.03)
    distances = region.squared_distances(of_p_0(40_000, 3, seed=3))
    assert distances.mean() == pytest.approx(3, rel=0.03)


def test_a_narrow_model_reaches_no_tail_and_a_far_one_is_all_tail() -> None:
    fitted = of_p_0(2_000, 4, seed=4)
    region = fit_tail_region(fitted)
    centre = fitted.mean(axis=0)
    assert region.coverage(centre + 0.1 * (fitted - centre)) == 0
    assert region.coverage(fitted + 100) == pytest.approx(1 / TAIL_SHARE)


def test_a_rotation_of_all_features_changes_nothing() -> None:
    fitted, samples = of_p_0(300, 6, seed=5), of_p_0(300, 6, seed=6)
    turn = np.linalg.qr(np.random.default_rng(7).normal(size=(6, 6)))[0]
    turned = fit_tail_region(fitted @ turn)
    np.testing.assert_allclose(
        turned.squared_distances(samples @ turn),
        fit_tail_region(fitted).squared_distances(samples),
    )


def test_features_that_never_respond_do_not_break_the_ellipsoid() -> None:
    silent = np.zeros((500, 3))
    region = fit_tail_region(np.hstack([of_p_0(500, 4, seed=8), silent]))
    measured = region.coverage(np.hstack([of_p_0(500, 4, seed=9), silent]))
    assert 0 < measured < 3


def test_it_comes_back_from_its_file_bit_for_bit_without_metadata(tmp_path: Path) -> None:
    region, samples = fit_tail_region(of_p_0(50, 4, seed=0)), of_p_0(40, 4, seed=1)
    write_tail_region(region, tmp_path)
    found = read_tail_region(tmp_path)
    assert found.bound == region.bound
    np.testing.assert_array_equal(
        found.squared_distances(samples), region.squared_distances(samples)
    )
    assert b"__metadata__" not in (tmp_path / TENSORS).read_bytes()


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least 4 samples of p_0, got 3; raise evaluation"):
        fit_tail_region(np.zeros((3, 2)))
    with pytest.raises(BadNumbers, match=r"differ between samples of p_0, got a variance of 0\.0"):
        fit_tail_region(np.ones((8, 2)))


def test_features_of_another_network_are_refused() -> None:
    region = fit_tail_region(of_p_0(50, 4, seed=0))
    with pytest.raises(ConfigError, match=r"expected 4 features a sample, got 5; take those"):
        region.coverage(np.ones((8, 5)))
