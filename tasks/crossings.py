"""When a measured curve reaches a level: the horizontal distance of curves."""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def first_crossing(
    curve: npt.ArrayLike,  # (n,)
    level: float,
    *,
    start: int = 0,
) -> float:
    """Index from `start` on where `curve` first reaches `level`, straight between its points.

    Infinite if it stays on the side it starts on; NaN for a curve with a NaN or no point there.
    """
    values = np.asarray(curve, dtype=np.float64)[start:]
    if not values.size or np.isnan(values).any():
        return math.nan
    above = values - level
    if above[0] == 0:
        return float(start)
    reached = np.flatnonzero(above * np.sign(above[0]) <= 0)
    if not reached.size:
        return math.inf
    after = int(reached[0])
    before = after - 1
    return start + before + float(above[before] / (above[before] - above[after]))


def collapse_time(
    variances: npt.ArrayLike,  # (n,)
    share: float,
) -> float:
    """Index where a variance first falls to `share` of where it starts, log-linear between.

    Infinite if it never does; NaN for a curve with a NaN or one that starts at 0.
    """
    values = np.asarray(variances, dtype=np.float64)
    if not values.size or np.isnan(values).any() or values[0] <= 0:
        return math.nan
    # A variance of exactly 0 has no logarithm, and is a collapse however it is drawn.
    logarithms = np.log(np.maximum(values / values[0], np.finfo(np.float64).tiny))
    return first_crossing(logarithms, math.log(share))


def mean_lag(
    curve: npt.ArrayLike,  # (n,)
    target: npt.ArrayLike,  # (n,)
    slope: float,
) -> float:
    """Mean horizontal distance by which `curve` is behind a straight `target` of that slope.

    mean(target - curve) / slope, in steps of the index. All points of the ramp count, so it is
    less noisy than the crossing of a single level.
    """
    behind = np.asarray(target, dtype=np.float64) - np.asarray(curve, dtype=np.float64)
    return float(behind.mean()) / slope if behind.size else math.nan
