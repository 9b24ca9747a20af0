"""Measured quantities of a model and of one round of selection, as functions of arrays.

n samples or candidates, m draws, R rewards (and as many basins). Samples count equally unless
their `masses` are given, which sum to 1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer[Any]]


def reward_moments(
    scores: FloatArray,  # (n, R)
    masses: FloatArray | None = None,  # (n,)
) -> tuple[FloatArray, FloatArray]:  # (R,), (R,)
    """Mean and population variance of every reward over samples, in units of the reward."""
    if masses is None:
        return scores.mean(axis=0), scores.var(axis=0)
    means = masses @ scores
    return means, masses @ (scores - means) ** 2


def basin_masses(
    labels: IntArray,  # (n,)
    num_basins: int,
    masses: FloatArray | None = None,  # (n,)
) -> FloatArray:  # (R,)
    """Share of samples in each basin; sums to 1."""
    if masses is None:
        return np.bincount(labels, minlength=num_basins) / float(len(labels))
    return np.bincount(labels, weights=masses, minlength=num_basins).astype(np.float64)


def winner_leakage(
    active: IntArray,  # (m,)
    winner_labels: IntArray,  # (m,)
    num_basins: int,
    chances: FloatArray | None = None,  # (m,)
) -> FloatArray:  # (R, R)
    """Entry (i, j): share of the winners under reward i that lie in basin j.

    Winners count equally, or with their `chances`. A row whose reward was never active is NaN.
    Off the diagonal this is the leakage of the paper's appendix C.7.
    """
    counts = np.zeros((num_basins, num_basins))
    np.add.at(counts, (active, winner_labels), 1 if chances is None else chances)
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


def tail_coverage(
    log_densities: FloatArray,  # (n,), of samples under p_0
    floor: float,
    tail_share: float,
) -> float:
    """Share of samples where p_0's log density is below `floor`, divided by `tail_share`.

    `floor` bounds the highest-density region of p_0 that holds 1 - `tail_share` of it. So 1 for
    samples of p_0, 0 when its tails are no longer reached.
    """
    return float(np.mean(log_densities < floor)) / tail_share
