"""Precision and recall of generated samples by nearest neighbours (Kynkäänniemi et al. 2019).

A set's manifold is the union of balls around its members, each reaching the k-th nearest other
member. n samples, m of the reference, D features. Values depend on n and m: compare equal ones.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Features = npt.NDArray[np.floating[Any]]

NEIGHBOURS = 3
# Rows of distances at a time: 40 MB of them for 10,000 columns.
CHUNK_ROWS = 500
# Squared distances below this share of the squared norms are rounding, as single-precision
# features cannot tell them from 0.
ROUNDING = 1e-13


def squared_radii(
    features: Features,  # (n, D)
) -> FloatArray:  # (n,)
    """Squared distance of each row to its third nearest other row; needs at least 4 rows."""
    assert len(features) > NEIGHBOURS, f"{len(features)} rows have no third neighbour"
    radii = np.empty(len(features))
    for rows, distances in _distance_chunks(features, features):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        distances.partition(NEIGHBOURS - 1, axis=1)
        radii[rows] = distances[:, NEIGHBOURS - 1]
    return radii


def precision_and_recall(
    reference: Features,  # (m, D)
    reference_radii: FloatArray,  # (m,), from `squared_radii`
    features: Features,  # (n, D), at least 4 rows
) -> tuple[float, float]:
    """Share of samples in the reference's manifold, share of the reference in the samples'."""
    radii = squared_radii(features)
    precise = np.empty(len(features), bool)
    recalled = np.zeros(len(reference), bool)
    for rows, distances in _distance_chunks(features, reference):
        precise[rows] = (distances <= reference_radii).any(axis=1)
        recalled |= (distances <= radii[rows, np.newaxis]).any(axis=0)
    return float(precise.mean()), float(recalled.mean())


def evenly_spaced(count: int, at_most: int) -> npt.NDArray[np.int64]:
    """Row numbers of up to `at_most` of `count` rows, spread evenly, the same at every call."""
    kept = min(count, at_most)
    return np.arange(kept, dtype=np.int64) * count // max(kept, 1)


def _distance_chunks(
    rows: Features,  # (n, D)
    columns: Features,  # (m, D)
) -> Iterator[tuple[slice, FloatArray]]:  # (at most CHUNK_ROWS, m)
    """Squared distances of some rows at a time to all columns."""
    # Double precision: in single, near neighbours far from the origin would drown in rounding.
    right = columns.astype(np.float64)
    right_norms = np.einsum("ij,ij->i", right, right)
    for start in range(0, len(rows), CHUNK_ROWS):
        left = rows[start : start + CHUNK_ROWS].astype(np.float64)
        norms = np.einsum("ij,ij->i", left, left)[:, np.newaxis] + right_norms
        distances = left @ right.T
        distances *= -2
        distances += norms
        norms *= ROUNDING
        distances[distances < norms] = 0
        yield slice(start, start + len(left)), distances
