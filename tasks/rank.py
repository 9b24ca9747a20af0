"""Rank correlation."""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def spearman(
    first: FloatArray,  # (n,)
    second: FloatArray,  # (n,)
) -> float:
    """Spearman's rank correlation in [-1, 1], equal values sharing their mean rank.

    NaN where a value is NaN, where one side is constant, and for fewer than 2 pairs.
    """
    from scipy.stats import rankdata

    if len(first) < 2 or np.isnan(first).any() or np.isnan(second).any():
        return math.nan
    ranks = rankdata(first), rankdata(second)
    if min(np.ptp(one) for one in ranks) == 0:
        return math.nan
    return float(np.corrcoef(*ranks)[0, 1])


def trend(
    first: FloatArray,  # (n,)
    second: FloatArray,  # (n,)
) -> float:
    """Spearman's rank correlation, 0 where `second` was measured but does not change at all."""
    if len(second) > 1 and np.ptp(second) == 0:
        return 0.0
    return spearman(first, second)
