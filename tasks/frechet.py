"""Fréchet distance between features and a reference, as Gaussians of their moments.

n samples, D features. The distance is squared and covariances are unbiased (divisor n - 1), as
published FID values are; `tasks.point_metrics` has the root of it for points of the plane, with
population moments and masses, in the points' unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers, ConfigError

FloatArray = npt.NDArray[np.float64]
Features = npt.NDArray[np.floating[Any]]

# Rows turned into float64 at a time: 50,000 x 2,048 at once would take 0.8 GB.
CHUNK_ROWS = 4_096


@dataclass(frozen=True)
class FeatureMoments:
    """Mean and unbiased covariance of `count` samples.

    `root` is an upper triangular square root U of the covariance, U' U, kept where many distances
    to these moments are taken.
    """

    mean: FloatArray  # (D,)
    covariance: FloatArray  # (D, D)
    root: FloatArray | None  # (D, D)
    count: int

    def with_root(self) -> "FeatureMoments":
        """The same moments with their root computed."""
        return self if self.root is not None else replace(self, root=_root_of(self.covariance))


def moments_of(
    features: Features,  # (n, D)
) -> FeatureMoments:
    """Moments of features in float64, without a root; raises as `check_features`."""
    check_features(features)
    mean = mean_of(features)
    scatter = np.zeros((len(mean), len(mean)))
    for centred in centred_chunks(features, mean):
        scatter += centred.T @ centred
    return FeatureMoments(mean, scatter / (len(features) - 1), None, len(features))


def frechet_distance_squared(
    reference: FeatureMoments,
    samples: FeatureMoments | Features,  # or (n, D)
) -> float:
    """||m_1 - m_2||^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), in squared units of the features.

    S_1 S_2 has the eigenvalues of U S_2 U' where S_1 = U' U, which is symmetric; so the last trace
    is the sum of their roots. With fewer samples than features they are those of the smaller
    X S_1 X' / (n - 1), where S_2 = X' X / (n - 1). Raises as `check_features`, and `ConfigError`
    for another number of features.
    """
    if isinstance(samples, FeatureMoments):
        mean, total = samples.mean, float(np.trace(samples.covariance))
        _check_width(reference, len(mean))
        root = _root_of(reference.covariance) if reference.root is None else reference.root
        symmetric = _between(root, samples.covariance)
    else:
        check_features(samples)
        n, width = samples.shape
        _check_width(reference, width)
        if n >= width:
            return frechet_distance_squared(reference, moments_of(samples))
        mean = mean_of(samples)
        centred = samples - mean
        total = float(np.sum(centred**2)) / (n - 1)
        symmetric = centred @ reference.covariance @ centred.T / (n - 1)
    shift = float(np.sum((reference.mean - mean) ** 2))
    squared = shift + float(np.trace(reference.covariance)) + total - 2 * _sum_of_roots(symmetric)
    # Equal moments cancel to either side of 0.
    return max(squared, 0.0)


def total_variance(
    features: Features,  # (n, D)
) -> float:
    """Trace of the unbiased covariance; raises as `check_features`."""
    check_features(features)
    mean = mean_of(features)
    squares = sum(float(np.sum(centred**2)) for centred in centred_chunks(features, mean))
    return squares / (len(features) - 1)


def check_features(
    features: Features,  # (n, D)
) -> None:
    """Raises `ConfigError` for fewer than two rows, `BadNumbers` for values that are not finite."""
    if len(features) < 2:
        raise ConfigError(
            f"features: expected at least 2 samples, got {len(features)}; raise "
            "evaluation.num_samples"
        )
    with np.errstate(invalid="ignore"):
        sums = features.sum(axis=1, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(sums))
    if len(bad):
        raise BadNumbers(
            f"features: expected finite values, got a NaN or an infinity in row {bad[0]} "
            f"({len(bad)} such rows of {len(features)}); correct what produced the images or the "
            "weights of the network that gives features"
        )


def mean_of(
    features: Features,  # (n, D)
) -> FloatArray:  # (D,)
    """Mean of the rows, summed in float64."""
    mean: FloatArray = np.mean(features, axis=0, dtype=np.float64)
    return mean


def centred_chunks(
    features: Features,  # (n, D)
    mean: FloatArray,  # (D,)
) -> Iterator[FloatArray]:  # each (at most CHUNK_ROWS, D)
    """Rows minus `mean` in float64, some at a time."""
    for start in range(0, len(features), CHUNK_ROWS):
        yield features[start : start + CHUNK_ROWS] - mean


def _root_of(covariance: FloatArray) -> FloatArray:
    # Not by Cholesky, which refuses features that never respond.
    values, vectors = np.linalg.eigh(covariance)
    scaled = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(np.linalg.qr(scaled.T, mode="r"))


def _between(
    root: FloatArray,  # (D, D), upper triangular
    covariance: FloatArray,  # (D, D)
) -> FloatArray:  # (D, D), upper triangle
    """U S U' by LAPACK's step for generalised eigenvalues: a quarter of two full products."""
    from scipy.linalg.lapack import dsygst

    # Both as Fortran orders them: the covariance is symmetric, so its transpose is no copy.
    between, info = dsygst(covariance.T, np.asfortranarray(root), itype=2, lower=0)
    assert info == 0, f"argument {-info} of dsygst is wrong"
    return np.asarray(between)


def _sum_of_roots(symmetric: FloatArray) -> float:
    """Sum of the roots of the eigenvalues of a positive semidefinite matrix's upper triangle."""
    values = np.linalg.eigvalsh(symmetric, UPLO="U")
    # Rounding turns zeros into numbers whose roots would be 1e-8 each: features that never
    # respond, and directions that few samples do not reach.
    floor = len(values) * np.finfo(np.float64).eps * float(values[-1])
    return float(np.sum(np.sqrt(values[values > max(floor, 0.0)])))


def _check_width(reference: FeatureMoments, width: int) -> None:
    if len(reference.mean) != width:
        raise ConfigError(
            f"features: expected {len(reference.mean)} a sample as the reference has, got {width}; "
            "take both from one network"
        )
