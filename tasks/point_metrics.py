"""Measured quantities of points of the plane. n points; they count equally or by `masses`."""

import numpy as np
import numpy.typing as npt

from tasks.geometry import ModeAxis

FloatArray = npt.NDArray[np.float64]

# Nearer modes cannot be told apart from the noise of a thousand points.
LEAST_DISTANCE = 0.5


def point_metrics(
    points: FloatArray,  # (n, 2)
    axis: ModeAxis | None,
    masses: FloatArray | None = None,  # (n,)
) -> dict[str, float]:
    """Spread of points: `variance_total`, and for two quadratic rewards along and across.

    `order_parameter_squared` is M^2 = 4 (Var_along - Var_across)_+ / d^2, whose limit is m*^2 of
    m = tanh(beta m); only for a distance d of at least one half.
    """
    covariance = moments(points, masses)[1]
    measured = {"variance_total": float(np.trace(covariance))}
    if axis is None:
        return measured
    along, across = np.diag(axis.frame @ covariance @ axis.frame.T).tolist()
    measured |= {"variance_along": along, "variance_across": across}
    if axis.distance >= LEAST_DISTANCE:
        measured["order_parameter_squared"] = 4 * max(along - across, 0.0) / axis.distance**2
    return measured


def moments(
    points: FloatArray,  # (n, 2)
    masses: FloatArray | None = None,  # (n,)
) -> tuple[FloatArray, FloatArray]:  # (2,), (2, 2)
    """Mean and population covariance of points."""
    mean: FloatArray = np.average(points, axis=0, weights=masses)
    steps = points - mean
    weighted = steps / len(points) if masses is None else steps * masses[:, np.newaxis]
    return mean, weighted.T @ steps


def frechet_distance(
    first: tuple[FloatArray, FloatArray],  # (2,), (2, 2)
    second: tuple[FloatArray, FloatArray],  # (2,), (2, 2)
) -> float:
    """Wasserstein-2 distance of the Gaussians with these moments, in the points' unit.

    W^2 = ||m_1 - m_2||^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)); the eigenvalues of S_1 S_2 are those
    of a positive semidefinite matrix, so the last trace is the sum of their square roots.
    """
    (mean_1, covariance_1), (mean_2, covariance_2) = first, second
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2).real
    cross = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    squared = np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1 + covariance_2) - 2 * cross
    return float(np.sqrt(max(squared, 0.0)))
