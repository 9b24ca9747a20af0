"""Grids of images: every pixel where it belongs, grey and RGB, no smoothing."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from tasks.figures import save_figure
from tasks.image_grid import WHITE, draw_grids, mosaic


def images(n: int, *, channels: int = 1, size: int = 4) -> npt.NDArray[np.uint8]:
    shape = (n, size, size + 1, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_in_rows_with_white_between(channels: int) -> None:
    given = images(7, channels=channels)
    grid = mosaic(given, across=3)
    assert grid.shape == (3 * 4 + 2, 3 * 5 + 2, channels)
    np.testing.assert_array_equal(grid[:4, :5], given[0])
    np.testing.assert_array_equal(grid[:4, 6:11], given[1])
    np.testing.assert_array_equal(grid[10:14, :5], given[6])
    assert (grid[4] == WHITE).all() and (grid[:, 5] == WHITE).all()
    assert (grid[10:, 5:] == WHITE).all()  # the seventh was the last


def test_only_the_first_images_are_shown() -> None:
    np.testing.assert_array_equal(mosaic(images(9), 2), mosaic(images(9)[:4], 2))


def test_arms_are_rows_and_models_are_panels_with_their_k() -> None:
    arms = {"single": [(0, images(4)), (9, images(4))], "balanced": [(0, images(4))]}
    figure = draw_grids(arms, across=2)
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == ["single, k = 0", "k = 9", "balanced, k = 0", ""]
    assert [len(panel.images) for panel in figure.axes] == [1, 1, 1, 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_drawn_as_they_are(channels: int) -> None:
    given = images(4, channels=channels)
    shown = draw_grids({"arm": [(0, given)]}, across=2).axes[0].images[0]
    grid = mosaic(given, 2)
    pixels: Any = shown.get_array()
    enlarged = len(pixels) // len(grid)
    drawn = np.asarray(pixels)[::enlarged, ::enlarged]
    np.testing.assert_array_equal(drawn.reshape(grid.shape), grid)
    assert shown.get_interpolation() == "nearest"
    # Grey values keep their meaning, however dark all images are.
    assert channels == 3 or shown.get_clim() == (0, 255)


@pytest.mark.slow  # a page of real images
def test_a_page_of_real_images_is_written(shared_data: Path, tmp_path: Path) -> None:
    from io import BytesIO

    from PIL import Image

    rows = pq.ParquetFile(shared_data / "cifar10" / "test.parquet")
    first = next(rows.iter_batches(100, columns=["img"])).to_pylist()
    real = np.stack([np.asarray(Image.open(BytesIO(row["img"]["bytes"]))) for row in first])
    figure = draw_grids({"real": [(0, real), (1, real)], "again": [(0, real), (1, real)]})
    for path in save_figure(figure, tmp_path, "page"):
        assert 10_000 < path.stat().st_size < 3_000_000
