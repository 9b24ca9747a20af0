"""What experiments with arms share: an arm without curation, values of all runs, what is shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.domain import Plain
from flows.experiment import Frame, Study, Values, curves, last_values
from tasks.panels import band, new_figure, one_legend
from tasks.seed_values import mean_of, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def moments(names: Sequence[str]) -> dict[str, str]:
    """Mean and variance of every reward, as a table names them -> metric."""
    means = {f"E[{name}]": f"reward_mean.{name}" for name in names}
    return means | {f"Var[{name}]": f"reward_var.{name}" for name in names}


def table_of_arms(
    frame: Frame,
    arms: Sequence[str],
    columns: Mapping[str, str],  # heading -> metric
    more: Mapping[str, Callable[[str], FloatArray]] | None = None,  # heading -> (arm) -> (runs,)
) -> pd.DataFrame:
    """One row an arm: metrics of the last models and `more`, mean over runs with its interval."""
    rows = []
    for arm in arms:
        found: dict[str, Values | FloatArray] = {
            label: last_values(frame, metric, arm=arm) for label, metric in columns.items()
        }
        found |= {label: of_arm(arm) for label, of_arm in (more or {}).items()}
        rows.append({"arm": arm} | {label: with_interval(one) for label, one in found.items()})
    return pd.DataFrame(rows)


def draw_arms(
    frame: Frame,
    arms: Sequence[str],
    shown: Sequence[tuple[str, str]],  # metric and what its axis says
    *,
    columns: int,
    across: int = 3,
) -> "Figure":
    """Metrics over k, a panel each with one line an arm; the legend has so many columns."""
    figure, axes = new_figure(len(shown), columns=across)
    for panel, (metric, label) in zip(axes, shown, strict=True):
        draw_over_rounds(panel, frame, metric, [(arm, arm) for arm in arms])
        panel.set_ylabel(label)
    one_legend(axes, columns=columns)
    return figure


def draw_over_rounds(
    panel: Any, frame: Frame, metric: str, arms: Sequence[tuple[str, str]]
) -> None:
    """`metric` over k, a band for each (arm, label) that was measured."""
    for arm, label in arms:
        found = curves(frame, metric, arm=arm)
        if not found.empty:
            band(panel, found.index.to_numpy(), found.to_numpy().T, label=label, colour=label)
    panel.set_xlabel("k of the model p_k")
