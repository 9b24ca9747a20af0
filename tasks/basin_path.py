"""The path of one idealised run through the theory: basin share, outside mass, bounds, decay.

For every model p_k: m_i its mass in the basin A_i = {r_i >= r_i* - eps}, w the mass in neither,
eta_i the leakage factors. The share the paper reports is m_1 itself, not m_1 / (m_1 + m_2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import ConfigError
from theory.leakage import share_interval

FloatArray = npt.NDArray[np.float64]

FIT_FIRST = 10  # rates are fitted from this step on, after the first ones


@dataclass(frozen=True, eq=False)
class BasinPath:
    """What one run measured, with the bounds its leakage factors give."""

    distance: float
    q: float
    share: FloatArray  # (T + 1,), m_1
    outside: FloatArray  # (T + 1,), w
    lower: float
    upper: float

    @property
    def slack(self) -> float:
        """How far m_1 at the last step is inside its bounds, which the mass outside widens."""
        last, left = float(self.share[-1]), float(self.outside[-1])
        return min(last - self.lower, self.upper - last) + left

    @property
    def width(self) -> float:
        """Upper minus lower bound."""
        return self.upper - self.lower

    @property
    def excess(self) -> float:
        """How far m_1 at the last step lies beyond q, counted away from one half."""
        return (1.0 if self.q > 0.5 else -1.0) * (float(self.share[-1]) - self.q)

    def decay(self) -> tuple[float, float]:
        """Rate of w ~ exp(-rate t) from step `FIT_FIRST` on, and R^2 of log w there."""
        return decay_fit(self.outside, first=FIT_FIRST)


# By (d, q).
Paths = Mapping[tuple[float, float], BasinPath]


def decay_fit(
    outside: FloatArray,  # (T + 1,)
    *,
    first: int,
) -> tuple[float, float]:
    """Rate of exponential decay from step `first` on, by least squares on logarithms, and R^2.

    NaN for both where that is not defined: fewer than three steps, or no mass left.
    """
    values = outside[first:]
    if len(values) < 3 or values.min() <= 0:
        return float("nan"), float("nan")
    steps, logs = np.arange(first, len(outside)), np.log(values)
    slope, start = np.polyfit(steps, logs, 1)
    residual = float(((logs - start - slope * steps) ** 2).sum())
    total = float(((logs - logs.mean()) ** 2).sum())
    return float(-slope), 1 - residual / total if total > 0 else float("nan")


def basin_paths(frame: pd.DataFrame, names: Sequence[str]) -> dict[tuple[float, float], BasinPath]:
    """The path of every (d, q) in a tidy frame with columns run, q, distance, k, metric, value.

    `names` are the two rewards, that of weight q first. A run whose basins were not measured, as
    when they overlap, is left out. Raises `ConfigError` when a pair (d, q) was run twice, for
    instance under two seeds.
    """
    first, second = names
    paths: dict[tuple[float, float], BasinPath] = {}
    for run, rows in frame.groupby("run"):
        distance, q = (round(float(rows[axis].iloc[0]), 9) for axis in ("distance", "q"))
        if (distance, q) in paths:
            raise ConfigError(
                f"theory checks: expected one run for distance {distance:g} and q {q:g}, got "
                f"{run!r} beside another; nothing is random, so leave one out"
            )
        share = _over_steps(rows, f"high_reward_mass.{first}")
        outside = _over_steps(rows, "outside_mass")
        eta = [
            _over_steps(rows, f"eta.{first}.{second}"),
            _over_steps(rows, f"eta.{second}.{first}"),
        ]
        if min(len(column) for column in (share, outside, *eta)) == 0:
            continue
        lower, upper = share_interval((q, 1 - q), (eta[0][-1], eta[1][-1]))[0]
        paths[distance, q] = BasinPath(distance, q, share, outside, float(lower), float(upper))
    return paths


def _over_steps(rows: pd.DataFrame, metric: str) -> FloatArray:
    found = rows[rows["metric"] == metric].sort_values("k")["value"]
    return found.to_numpy(dtype=np.float64)
