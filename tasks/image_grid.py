"""Grids of images: what the models p_0 .. p_T of several arms give, side by side.

n images of H x W x C bytes, C 1 (grey) or 3 (RGB).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UInt8Array = npt.NDArray[np.uint8]

ACROSS = 10  # images in a row of a grid, and rows
GAP, WHITE = 1, 255  # pixels between images
# Dots of a figure's inch in `save_figure`, and those of one grid at least.
DOTS_PER_INCH, LEAST_DOTS = 150, 400
TITLE_INCHES = 0.45


def mosaic(
    images: UInt8Array,  # (n, H, W, C), of which the first across^2 are shown
    across: int = ACROSS,
) -> UInt8Array:  # (h, w, C)
    """The first images in rows of `across`, white between them and where there are too few."""
    _, height, width, channels = images.shape
    shown = images[: across * across]
    cells = np.full((across * across, height + GAP, width + GAP, channels), WHITE, dtype=np.uint8)
    cells[: len(shown), :height, :width] = shown
    rows = cells.reshape(across, across, height + GAP, width + GAP, channels)
    joined = rows.swapaxes(1, 2).reshape(across * (height + GAP), across * (width + GAP), channels)
    return joined[:-GAP, :-GAP]


def draw_grids(
    arms: Mapping[str, Sequence[tuple[int, UInt8Array]]],  # arm -> (k, (n, H, W, C)), ...
    *,
    across: int = ACROSS,
) -> "Figure":
    """One row an arm, one panel a model: its first across x across samples under "k = ...".

    All images have one shape.
    """
    columns = max(len(models) for models in arms.values())
    grids = [[(k, mosaic(images, across)) for k, images in models] for models in arms.values()]
    height, width = grids[0][0][1].shape[:2]
    enlarged = -(-LEAST_DOTS // width)
    panel_width, panel_height = (enlarged * size / DOTS_PER_INCH for size in (width, height))
    figure = new_figure(
        figsize=(columns * (panel_width + 0.1), len(arms) * (panel_height + TITLE_INCHES))
    )
    panels = figure.subplots(len(arms), columns, squeeze=False)
    for row, (arm, models) in enumerate(zip(arms, grids, strict=True)):
        for column, panel in enumerate(panels[row]):
            panel.set_axis_off()
            if column < len(models):
                k, grid = models[column]
                _show(panel, grid, enlarged)
                panel.set_title(f"{arm}, k = {k}" if column == 0 else f"k = {k}", fontsize=10)
    return figure


def _show(
    panel: Any,
    grid: UInt8Array,  # (h, w, C)
    enlarged: int,
) -> None:
    # Enlarged here, because viewers of vector files smooth small pictures.
    pixels = grid.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    colours = {"cmap": "gray", "vmin": 0, "vmax": 255} if pixels.shape[2] == 1 else {}
    shown = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    panel.imshow(shown, interpolation="nearest", **colours)
