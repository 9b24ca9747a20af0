"""Leakage of length preferences: winners under one target in the bin of another (section C.7)."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import numpy.typing as npt

from flows.experiment import Frame, curves
from tasks.seed_values import with_interval

FloatArray = npt.NDArray[np.float64]

WHAT_IT_IS = (
    "Leakage is the share of a round's winners under one target whose length lies in the bin of "
    "the other, {|L - T| <= min(3, d/2)}; in the curves it stands at the model that was trained on "
    "these winners."
)


def leakages(names: Sequence[str]) -> dict[str, str]:
    """Metric -> what it is called, for every two of the rewards `names`."""
    return {f"leakage.{one}.{other}": f"{one} in {other}" for one, other in permutations(names, 2)}


def mean_leakage(
    frame: Frame, metric: str, *, last: float = 1.0, **where: object
) -> FloatArray:  # (runs,)
    """Mean over the last share of the rounds, of each run, of those in which its reward was drawn.

    Empty where no run of these column values ever drew the reward.
    """
    found = curves(frame, metric, **where)
    if found.empty:
        return np.empty(0)
    late = found[found.index > (1 - last) * frame["k"].max()]
    return np.asarray(late.mean(), dtype=np.float64)


def leakage_cell(values: FloatArray) -> str:
    """Leakage with its interval over runs, for a table."""
    return with_interval(values) if values.size else "not drawn"
