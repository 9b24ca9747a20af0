"""Figures of finished runs, drawn from their committed artifacts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.files import storage_errors
from flows.image_figures import draw_images, has_images
from flows.text_figures import draw_texts
from flows.text_gallery import has_texts
from tasks.agreement import UNMET
from tasks.context import RunContext
from tasks.figures import ArmCurves, draw_moments, draw_points, save_figure
from tasks.geometry import two_modes
from tasks.places import evaluation_place

FloatArray = npt.NDArray[np.float64]


def predictions_of(context: RunContext, k: int) -> list[dict[str, Any]]:
    """Rows of predictions.parquet of p_k."""
    table = context.open_place(evaluation_place(k)).table("predictions.parquet")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def draw_run(
    contexts: Sequence[RunContext], histories: dict[str, list[dict[str, float]]], folder: Path
) -> list[Path]:
    """Figures of finished runs, the arms of one experiment; none for what nobody draws yet.

    `histories` holds the metrics of p_0 .. p_T of every run.
    """
    if has_images(contexts[0]):
        return draw_images(contexts, histories, folder)
    if has_texts(contexts[0]):
        return draw_texts(contexts, folder)
    modes = two_modes(contexts[0].config)
    if modes is None:
        return []
    names = contexts[0].config.reward_names
    curves = [_curves(context, histories[context.run]) for context in contexts]
    unit = modes.gamma**2 * modes.distance**4 / 4
    moments = draw_moments(curves, names, variance_unit=unit if unit > 0 else 1.0)
    panels = [
        (f"{context.record.arm or context.run}, {label}", _points(context, k))
        for context in contexts
        for label, k in (
            ("start", 0),
            (f"k = {context.config.iterations}", context.config.iterations),
        )
    ]
    centres = np.array([reward.centre for reward in contexts[0].config.rewards])  # type: ignore[attr-defined]
    points = draw_points(panels, centres)
    with storage_errors(folder):
        return save_figure(moments, folder, "moments") + save_figure(points, folder, "points")


def _curves(context: RunContext, history: list[dict[str, float]]) -> ArmCurves:
    metrics = [
        f"reward_{kind}.{name}" for kind in ("mean", "var") for name in context.config.reward_names
    ]
    rounds = [predictions_of(context, k) for k in range(len(history))]
    # A curve whose last model does not meet its assumption is that of another loop.
    unmet = {row["quantity"] for row in rounds[-1] if row["verdict"] == UNMET}
    predicted = {metric: np.full(len(history), np.nan) for metric in metrics if metric not in unmet}
    for k, rows in enumerate(rounds):
        for row in rows:
            if row["quantity"] in predicted:
                predicted[row["quantity"]][k] = row["predicted"]
    return ArmCurves(
        arm=context.record.arm or context.run,
        measured={
            metric: np.array([row.get(metric, np.nan) for row in history]) for metric in metrics
        },
        predicted=predicted,
    )


def _points(context: RunContext, k: int) -> FloatArray:
    samples = context.open_place(evaluation_place(k)).table("samples.parquet")
    return np.column_stack([samples["x"].to_numpy(), samples["y"].to_numpy()])
