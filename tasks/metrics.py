"""Measured quantities of a model and of one round of selection, as functions of arrays.

n samples or candidates, m draws, R rewards (and as many basins).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]


def reward_moments(
    scores: FloatArray,  # (n, R)
) -> tuple[FloatArray, FloatArray]:  # (R,), (R,)
    """Mean and population variance of every reward over samples, in units of the reward."""
    return scores.mean(axis=0), scores.var(axis=0)


def basin_masses(
    labels: IntArray,  # (n,)
    num_basins: int,
) -> FloatArray:  # (R,)
    """Share of samples in each basin; sums to 1."""
    return np.bincount(labels, minlength=num_basins) / float(len(labels))


def leakage_matrix(
    active: IntArray,  # (m,)
    winner_labels: IntArray,  # (m,)
    num_basins: int,
) -> FloatArray:  # (R, R)
    """Entry (i, j): share of the winners under reward i that lie in basin j.

    A row whose reward was never active is NaN. Off the diagonal this is the leakage of the
    paper's appendix C.7.
    """
    counts = np.zeros((num_basins, num_basins))
    np.add.at(counts, (active, winner_labels), 1)
    totals = counts.sum(axis=1, keepdims=True)
    shares: FloatArray = np.divide(
        counts, totals, out=np.full_like(counts, np.nan), where=totals > 0
    )
    return shares


def num_distinct(
    winners: IntArray,  # (m,)
) -> int:
    """How many different candidates won at least one draw."""
    return len(np.unique(winners))
