"""What experiments on images share: which Fréchet distance was measured, arms side by side."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from flows.experiment import Frame

FloatArray = npt.NDArray[np.float64]


class Distance(NamedTuple):
    """A distance to the training images: its metric and its name, which says whose features."""

    metric: str
    label: str


FID = Distance("fid", "FID")
OF_CLASSIFIER = Distance("frechet_classifier", "Fréchet distance (classifier's features)")


def distance_measured(frame: Frame) -> Distance:
    """FID where every run has it, else the classifier's: arms are compared by one of the two."""
    with_fid = frame.loc[frame["metric"] == FID.metric, "run"].nunique()
    return FID if with_fid and with_fid == frame["run"].nunique() else OF_CLASSIFIER


def stacked(
    columns: Sequence[FloatArray],  # n of (runs,)
) -> FloatArray:  # (most runs, n)
    """Values of several arms side by side, NaN for runs that are missing in one."""
    height = max((len(column) for column in columns), default=0) or 1
    found = np.full((height, len(columns)), np.nan)
    for position, column in enumerate(columns):
        found[: len(column), position] = column
    return found
