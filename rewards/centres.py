"""What rewards with a centre in the plane share: distances, the nearest centre, examples."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.points import points_of
from data.schemas import POINTS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def squared_distances(
    points: FloatArray,  # (n, 2)
    centres: FloatArray,  # (R, 2)
) -> FloatArray:  # (n, R)
    """||x - mu_r||^2 of every point to every centre."""
    steps = points[:, np.newaxis, :] - centres
    squared: FloatArray = steps[..., 0] ** 2 + steps[..., 1] ** 2
    return squared


def nearest_centre(
    centres: Sequence[tuple[float, float]],  # (R,)
    samples: pa.Table,  # n rows
    user: str,
) -> IntArray:  # (n,)
    """Index of the centre nearest to each sample, the first of equally near ones.

    `user` is who needs it; raises as `points_of`.
    """
    points = points_of(samples, user)
    nearest: IntArray = squared_distances(points, np.array(centres)).argmin(axis=1)
    return nearest


def gaussian_points(num_samples: int, *, seed: int) -> pa.Table:
    """Points of a standard Gaussian, as examples."""
    points = np.random.default_rng(seed).standard_normal((num_samples, 2))
    return pa.table({"x": points[:, 0], "y": points[:, 1]}, schema=POINTS)
