"""Intervals of a mean over independent repetitions."""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def mean_interval(
    values: FloatArray,  # (n,)
    *,
    confidence: float = 0.95,
) -> tuple[float, float, float]:
    """Mean of independent `values` and the bounds of Student's interval around it.

    mean -+ t s / sqrt(n), where s is the sample deviation (divisor n - 1) and t the quantile
    (1 + confidence) / 2 of Student's t with n - 1 degrees of freedom. The bounds are NaN for
    n = 1, everything is NaN where a value is. Raises `ValueError` for no values and for a
    `confidence` outside (0, 1).
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    if not 0 < confidence < 1:
        raise ValueError(
            f"confidence: expected a number between 0 and 1, got {confidence}; 0.95 is common"
        )
    n = len(values)
    if n == 0:
        raise ValueError("mean interval: expected at least one value, got none; check the filter")
    mean = float(np.mean(values))
    if n == 1:
        return mean, math.nan, math.nan
    quantile = float(stdtrit(n - 1, (1 + confidence) / 2))
    half = quantile * float(np.std(values, ddof=1)) / math.sqrt(n)
    return mean, mean - half, mean + half
