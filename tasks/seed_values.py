"""Summaries of one measured number a run, in which nothing missing passes silently.

No value, or a NaN among them, gives NaN, which makes a claim about it void.
"""

import math

import numpy as np
import numpy.typing as npt

from tasks.intervals import mean_interval


def mean_of(values: npt.ArrayLike) -> float:
    """Mean over runs."""
    found = np.asarray(values, dtype=np.float64)
    return float(found.mean()) if found.size else math.nan


def median_of(values: npt.ArrayLike) -> float:
    """Median over runs; infinite when half of them are."""
    found = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if not found.size or np.isnan(found).any():
        return math.nan
    low, high = float(found[(found.size - 1) // 2]), float(found[found.size // 2])
    return low if low == high else (low + high) / 2


def least_of(values: npt.ArrayLike) -> float:
    """Least of all runs."""
    found = np.asarray(values, dtype=np.float64)
    return float(found.min()) if found.size else math.nan


def largest_of(values: npt.ArrayLike) -> float:
    """Largest of all runs."""
    found = np.asarray(values, dtype=np.float64)
    return float(found.max()) if found.size else math.nan


def ratio(numerator: float, denominator: float) -> float:
    """Quotient of two positive summaries; NaN where the second is not positive."""
    return numerator / denominator if denominator > 0 else math.nan


def with_interval(values: npt.ArrayLike) -> str:
    """`mean ± half width` of the 95 % interval over runs, for a table; `-` for none."""
    found = np.asarray(values, dtype=np.float64)
    if not found.size or np.isnan(found).any():
        return "-"
    never = int(np.isinf(found).sum())
    if never:
        middle = median_of(found)
        start = f"median {middle:.4g}, " if np.isfinite(middle) else ""
        return f"{start}{never} of {found.size} never"
    mean, low, high = mean_interval(found)
    return f"{mean:.4g}" if math.isnan(low) else f"{mean:.4g} ± {(high - low) / 2:.2g}"
