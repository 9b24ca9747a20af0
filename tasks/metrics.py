"""Measured quantities of a model and of one round of selection, as functions of arrays.

n samples or candidates, m draws, R rewards (and as many basins). Samples count equally unless
their `masses` are given, which sum to 1. A label may be `NO_BASIN`: it counts in no basin.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from rewards.registry import NO_BASIN

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
    """Share of samples in each basin; sums to 1 where every sample lies in one, else to less."""
    inside = labels != NO_BASIN
    if masses is None:
        return np.bincount(labels[inside], minlength=num_basins) / float(len(labels))
    counts = np.bincount(labels[inside], weights=masses[inside], minlength=num_basins)
    return counts.astype(np.float64)


def winner_leakage(
    active: IntArray,  # (m,)
    winner_labels: IntArray,  # (m,)
    num_basins: int,
    chances: FloatArray | None = None,  # (m,)
) -> FloatArray:  # (R, R + 1)
    """Entry (i, j): share of the winners under reward i that lie in basin j, the last in none.

    Winners count equally, or with their `chances`. A row whose reward was never active is NaN.
    Off the diagonal this is the leakage of the paper's appendix C.7; where basins are predicted
    classes, its proxy is the sum of a row but for the diagonal.
    """
    counts = np.zeros((num_basins, num_basins + 1))
    columns = np.where(winner_labels == NO_BASIN, num_basins, winner_labels)
    np.add.at(counts, (active, columns), 1 if chances is None else chances)
    totals = counts[:, :num_basins].sum(axis=1, keepdims=True) + counts[:, num_basins:]
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
