"""What several experiments with arms share: an arm without curation, and values of all runs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.domain import Plain
from flows.experiment import Frame, Study, last_values
from tasks.seed_values import mean_of

FloatArray = npt.NDArray[np.float64]

# Every candidate is trained on exactly once: pure self-consumption.
NO_CURATION: Plain = {"selection": {"scheme": "fresh", "pool_size": 1, "replacement": False}}


def least_variance(frame: Frame, study: Study, **where: Any) -> FloatArray:  # (runs,)
    """min_i Var[r_i] of the last model of every run; NaN where a reward was not measured."""
    columns = [
        last_values(frame, f"reward_var.{name}", **where) for name in study.base.reward_names
    ]
    least = pd.concat(columns, axis=1).min(axis=1, skipna=False)
    return np.asarray(least, dtype=np.float64)


def means_over(
    frame: Frame, metric: str, key: str, values: Sequence[Any], **where: Any
) -> FloatArray:  # (values,)
    """Mean of `metric` of the last models over runs, at every value of the axis `key`."""
    return np.array(
        [mean_of(last_values(frame, metric, **where, **{key: value})) for value in values]
    )


def runs_over(
    frame: Frame, metric: str, key: str, values: Sequence[Any], **where: Any
) -> FloatArray:  # (runs, values)
    """`metric` of the last model of every run, one column a value of `key`, for a band.

    Every value needs the same number of runs, as a finished study has.
    """
    return np.array(
        [last_values(frame, metric, **where, **{key: value}).to_numpy() for value in values]
    ).T
