"""Figures of a finished run, drawn from its committed artifacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]

# Okabe and Ito's palette, which stays apart for colour-blind readers.
COLOURS = {"pluralistic": "#0072B2", "single": "#D55E00"}
SPARE_COLOURS = ("#009E73", "#CC79A7", "#56B4E9", "#E69F00")


@dataclass(frozen=True)
class ArmCurves:
    """Measured and predicted curves of one arm over k = 0 .. T; predictions may be NaN."""

    arm: str
    measured: Mapping[str, FloatArray]  # metric -> (T + 1,)
    predicted: Mapping[str, FloatArray]  # metric -> (T + 1,)


def draw_moments(
    curves: Sequence[ArmCurves],
    reward_names: Sequence[str],
    *,
    variance_unit: float,
) -> "Figure":
    """Mean and variance of every reward over iterations, one line an arm, theory dashed.

    Variances are divided by `variance_unit` and drawn on a logarithmic axis.
    """
    figure = new_figure(figsize=(10, 3.2 * len(reward_names)))
    axes = figure.subplots(len(reward_names), 2, squeeze=False, sharex=True)
    for row, name in enumerate(reward_names):
        for column, (kind, unit) in enumerate((("mean", 1.0), ("var", variance_unit))):
            panel = axes[row, column]
            for position, arm in enumerate(curves):
                colour = COLOURS.get(arm.arm, SPARE_COLOURS[position % len(SPARE_COLOURS)])
                metric = f"reward_{kind}.{name}"
                steps = np.arange(len(arm.measured[metric]))
                panel.plot(
                    steps,
                    arm.measured[metric] / unit,
                    color=colour,
                    marker="o",
                    markersize=2.5,
                    linewidth=1.2,
                    label=f"{arm.arm}, measured",
                )
                if np.isfinite(arm.predicted.get(metric, np.nan)).any():
                    panel.plot(
                        steps,
                        _drawable(arm.predicted[metric], kind) / unit,
                        color=colour,
                        linestyle="--",
                        linewidth=1.0,
                        label=f"{arm.arm}, predicted",
                    )
            panel.grid(alpha=0.25)
            if kind == "var":
                panel.set_yscale("log")
                panel.set_ylabel(f"Var[{name}] / (gamma² d⁴ / 4)")
            else:
                panel.set_ylabel(f"E[{name}]")
    for panel in axes[-1]:
        panel.set_xlabel("k of the model p_k")
    axes[0, 0].legend(frameon=False, fontsize=8)
    return figure


def _drawable(
    values: FloatArray,  # (T + 1,)
    kind: str,
) -> FloatArray:  # (T + 1,)
    """`values`, without variances of 0 or less, which a logarithmic axis cannot show."""
    return np.where(values > 0, values, np.nan) if kind == "var" else values


def draw_points(
    panels: Sequence[tuple[str, FloatArray]],  # title, (n, 2)
    centres: FloatArray,  # (R, 2)
) -> "Figure":
    """Scatter of evaluation samples, one panel each, with the reward centres as crosses."""
    figure = new_figure(figsize=(3.4 * len(panels), 3.6))
    axes = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)
    for panel, (title, points) in zip(axes[0], panels, strict=True):
        panel.scatter(points[:, 0], points[:, 1], s=4, alpha=0.4, linewidths=0, color="#0072B2")
        panel.scatter(centres[:, 0], centres[:, 1], marker="x", s=60, color="#D55E00", zorder=3)
        panel.set_title(f"{title} (n = {len(points)})", fontsize=10)
        panel.set_aspect("equal", adjustable="box")
        panel.grid(alpha=0.25)
        panel.set_xlabel("x")
    axes[0, 0].set_ylabel("y")
    return figure


def save_figure(figure: "Figure", folder: Path, name: str) -> list[Path]:
    """Write the figure as PNG and SVG into `folder`; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for suffix in ("png", "svg"):
        path = folder / f"{name}.{suffix}"
        # No date in the file: the same artifacts give the same picture.
        metadata: dict[str, Any] = {"Date": None} if suffix == "svg" else {}
        figure.savefig(path, dpi=150, metadata=metadata)
        paths.append(path)
    return paths


def new_figure(*, figsize: tuple[float, float]) -> "Figure":
    """An empty figure of so many inches, with a canvas of its own."""
    # Without pyplot nothing global is created, so figures need no closing and no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=figsize, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
