"""Panels of a figure: measured bands over seeds with the theory's curve dashed beside them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.figures import COLOURS, SPARE_COLOURS
from tasks.figures import new_figure as empty_figure
from tasks.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
PALETTE = (*COLOURS.values(), *SPARE_COLOURS, "#000000", "#8C6D31", "#7F7F7F")


def new_figure(num_panels: int, *, columns: int = 3) -> tuple["Figure", list[Any]]:
    """An empty figure and its panels, at most `columns` beside each other."""
    columns = min(num_panels, columns)
    rows = -(-num_panels // columns)
    figure = empty_figure(figsize=(4.6 * columns, 3.6 * rows))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[num_panels:]:
        panel.set_visible(False)
    for panel in panels:
        panel.grid(alpha=0.25)
    return figure, list(panels[:num_panels])


def band(
    panel: Any,
    x: FloatArray,  # (n,)
    values_by_seed: FloatArray,  # (S, n)
    *,
    label: str,
    colour: str,
    logarithmic: bool = False,
) -> None:
    """Mean over seeds as a line with its 95 % interval (Student's t) as a band.

    `colour` is the name of an arm or any other text; equal texts have equal colours in a panel.
    `logarithmic` takes mean and interval of the logarithms and makes the axis logarithmic, as
    values over several orders of magnitude need.
    """
    chosen = colour_of(panel, colour)
    if logarithmic:
        values_by_seed = np.log(values_by_seed)
        panel.set_yscale("log")
    intervals = np.array([mean_interval(column) for column in values_by_seed.T])  # (n, 3)
    if logarithmic:
        intervals = np.exp(intervals)
    panel.plot(
        x, intervals[:, 0], color=chosen, marker="o", markersize=2.5, linewidth=1.2, label=label
    )
    if len(values_by_seed) > 1:
        panel.fill_between(
            x, intervals[:, 1], intervals[:, 2], color=chosen, alpha=0.2, linewidth=0
        )
    _legend(panel)


def theory_line(
    panel: Any,
    x: FloatArray,  # (n,)
    y: FloatArray,  # (n,)
    label: str,
) -> None:
    """What the theory gives, dashed."""
    known = label in panel.get_legend_handles_labels()[1]
    panel.plot(x, y, color="0.15", linestyle="--", linewidth=1.1, label=None if known else label)
    _legend(panel)


def one_legend(panels: Sequence[Any], *, columns: int) -> None:
    """One legend below all panels instead of one in each, for panels of the same lines."""
    handles, labels = panels[0].get_legend_handles_labels()
    for panel in panels:
        if panel.get_legend() is not None:
            panel.get_legend().remove()
    panels[0].figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=9
    )


def colour_of(panel: Any, name: str) -> str:
    """Colour of an arm or of any other text: the same in a panel at every call."""
    if name in COLOURS:
        return COLOURS[name]
    used: dict[str, str] = panel.__dict__.setdefault("_pluralist_colours", {})
    if name not in used:
        used[name] = PALETTE[len(used) % len(PALETTE)]
    return used[name]


def _legend(panel: Any) -> None:
    many = len(panel.get_legend_handles_labels()[1]) > 3
    # Beside the panel, since many lines leave no room within.
    place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if many else {}
    panel.legend(frameon=False, fontsize=8, **place)
