"""Galleries of an experiment on images: what its models give, over the rounds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.images import images_of
from tasks.context import RunContext
from tasks.places import evaluation_place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UInt8Array = npt.NDArray[np.uint8]
NUM_MODELS = 6
ACROSS = 8


def grids_of(
    contexts: Sequence[RunContext], galleries: Mapping[str, Sequence[str]]
) -> dict[str, "Figure"]:
    """A figure a gallery: a row for each of its arms, a column for models from p_0 to the last.

    Shown is the first seed of each arm; an arm that no run has is left out, and so is a gallery
    without any.
    """
    from tasks.image_grid import draw_grids

    found: dict[str, Figure] = {}
    for name, arms in galleries.items():
        rows = {
            arm: [(k, samples_of(run, k)) for k in evenly(run.config.iterations)]
            for arm in arms
            if (run := first_seed(contexts, arm)) is not None
        }
        if rows:
            found[name] = draw_grids(rows, across=ACROSS)
    return found


def first_seed(contexts: Sequence[RunContext], arm: str) -> RunContext | None:
    """The run of an arm with the least seed."""
    runs = [context for context in contexts if context.record.arm == arm]
    return min(runs, key=lambda run: run.config.seed, default=None)


def evenly(iterations: int, most: int = NUM_MODELS) -> list[int]:
    """At most so many k from 0 to the last, as evenly spaced as whole numbers are."""
    return [int(k) for k in np.unique(np.linspace(0, iterations, most).round())]


def samples_of(context: RunContext, k: int) -> UInt8Array:  # (n, H, W, C), the first few
    """The first evaluation samples of the model p_k, verified as they are read."""
    table = context.open_place(evaluation_place(k)).table("samples.parquet")
    return images_of(table.slice(0, ACROSS**2), "gallery")
