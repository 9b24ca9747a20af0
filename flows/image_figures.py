"""Figures of finished runs of images: a grid of samples, curves of diversity."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.files import storage_errors
from flows.image_gallery import evenly, samples_of
from tasks.context import RunContext
from tasks.figures import save_figure
from tasks.image_curves import DISTANCES, METRICS, draw_image_curves
from tasks.image_grid import draw_grids

DRAWN = (*METRICS, *DISTANCES)


def has_images(context: RunContext) -> bool:
    """Whether the run has image metrics, which need a classifier."""
    return context.config.classifier is not None


def draw_images(
    contexts: Sequence[RunContext], histories: dict[str, list[dict[str, float]]], folder: Path
) -> list[Path]:
    """Grids of the first samples of p_0 ... p_T, and metrics over k, one row or line an arm."""
    arms = {context.record.arm or context.run: context for context in contexts}
    grids = draw_grids(
        {
            arm: [(k, samples_of(context, k)) for k in evenly(context.config.iterations)]
            for arm, context in arms.items()
        },
        across=8,
    )
    curves = draw_image_curves(
        {
            arm: {
                metric: np.array([[row.get(metric, np.nan) for row in histories[context.run]]])
                for metric in DRAWN
                if any(metric in row for row in histories[context.run])
            }
            for arm, context in arms.items()
        },
        balanced={arm: number for arm, one in arms.items() if (number := _num_classes(one))},
    )
    with storage_errors(folder):
        return save_figure(grids, folder, "samples") + save_figure(curves, folder, "diversity")


def _num_classes(context: RunContext) -> int | None:
    """M, where every reward is one of M classes and all weigh the same."""
    rewards = [reward for reward in context.config.rewards if reward.weight > 0]
    equal = len({reward.weight for reward in rewards}) == 1
    classes = all(reward.kind == "class-probability" for reward in rewards)
    return len(rewards) if equal and classes and not context.config.weight_schedule else None
