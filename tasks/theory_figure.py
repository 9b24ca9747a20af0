"""Figure of the theory checks: shares within their bounds, outside mass, error of the identity."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.basin_path import FIT_FIRST, Paths
from tasks.figures import new_figure
from tasks.theory_checks import CHAINS, NASH_SHARES, nash_error, nearest_to_half

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which stays apart for colour-blind readers; one colour a distance.
PALETTE = ("#D55E00", "#0072B2", "#CC79A7", "#009E73", "#E69F00", "#56B4E9", "#000000")
# Distances whose bounds can be told apart at one scale.
BOUNDED = (2.0, 3.0, 6.0)


def draw_checks(paths: Paths) -> "Figure":
    """Deviation of the share from q with its bounds, outside mass over k, Nash error over d."""
    distances = sorted({distance for distance, _ in paths})
    colours = dict(zip(distances, PALETTE * len(distances), strict=False))
    known = [(d, error) for d in distances if not np.isnan(error := nash_error(paths, d))]
    # Few weights give no Nash error; an empty panel would look like one of 0.
    columns = 3 if any(d in chain for d, _ in known for chain in CHAINS) else 2
    figure = new_figure(figsize=(4.2 * columns, 3.8))
    panels = figure.subplots(1, columns)
    _draw_shares(panels[0], paths, [d for d in distances if d in BOUNDED], colours)
    _draw_outside(panels[1], paths, distances, colours)
    if columns == 3:
        _draw_errors(panels[2], dict(known))
    for panel in panels:
        panel.grid(alpha=0.25)
    return figure


def _draw_shares(
    panel: "Axes", paths: Paths, distances: list[float], colours: dict[float, str]
) -> None:
    for distance in distances:
        found = [path for (d, _), path in sorted(paths.items()) if d == distance]
        q = np.array([path.q for path in found])
        share = np.array([path.share[-1] for path in found])
        lower, upper = np.array([(path.lower, path.upper) for path in found]).T
        colour = colours[distance]
        panel.fill_between(q, lower - q, upper - q, color=colour, alpha=0.15, linewidth=0)
        panel.plot(q, share - q, color=colour, marker="o", markersize=3, label=f"d = {distance:g}")
    panel.axhline(0.0, color="black", linewidth=0.8)
    panel.set_xlabel("q")
    panel.set_ylabel("share of basin 1 minus q")
    panel.set_title("shares, shaded between their bounds", fontsize=10)
    if distances:
        panel.legend(frameon=False, fontsize=8)


def _draw_outside(
    panel: "Axes", paths: Paths, distances: list[float], colours: dict[float, str]
) -> None:
    for number, distance in enumerate(distances):
        path = nearest_to_half(paths, distance)
        steps = np.arange(len(path.outside))
        label = f"d = {distance:g}, q = {path.q:g}"
        # Thinner and thinner, because curves of equally many grid points coincide.
        width = 1.2 + 0.6 * (len(distances) - 1 - number)
        panel.plot(steps, path.outside, color=colours[distance], label=label, linewidth=width)
    panel.axvline(FIT_FIRST, color="black", linewidth=0.8, linestyle=":")
    panel.set_yscale("log")
    panel.set_xlabel("k of the model p_k")
    panel.set_ylabel("mass outside both basins")
    panel.set_title("outside mass; rates fitted right of the dots", fontsize=10)
    if distances:
        panel.legend(frameon=False, fontsize=8)


def _draw_errors(panel: "Axes", errors: dict[float, float]) -> None:
    for chain, marker, label in zip(
        CHAINS, "os", ("two grid points a basin", "three"), strict=True
    ):
        known = [(d, error) for d, error in errors.items() if d in chain]
        if known:
            panel.plot(*zip(*known, strict=True), marker=marker, markersize=4, label=label)
    panel.set_xlabel("d")
    panel.set_ylabel(f"mean squared error of share = q, {len(NASH_SHARES)} weights")
    panel.set_title("deviation from the Nash solution", fontsize=10)
    panel.set_yscale("log")
    panel.legend(frameon=False, fontsize=8)
