"""The grid of generator `density`: configuration, points, and where a point stands in it."""

from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from data.configuration import setting
from data.errors import ConfigError
from generators.registry import GeneratorConfig

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A coordinate counts as a grid point when it is nearer than this share of the spacing.
ATOM_TOLERANCE = 1e-9


class DensityConfig(GeneratorConfig):
    """The grid: each of `bounds` and `num_points` has one entry for all axes or one per axis."""

    kind: Literal["density"] = setting("density", "model family", "R")
    dimensions: Literal[1, 2] = setting(1, "axes of the grid; with 1 every y is 0", "R")
    bounds: tuple[tuple[float, float], ...] = setting(
        ((-10.0, 10.0),), "lowest and highest coordinate, both grid points", "R"
    )
    num_points: tuple[int, ...] = setting((101,), "grid points along an axis", "R")

    @model_validator(mode="after")
    def _check_axes(self) -> Self:
        for name in ("bounds", "num_points"):
            given = getattr(self, name)
            if len(given) not in (1, self.dimensions):
                raise ValueError(
                    f"{name}: expected one entry, or one for each of {self.dimensions} "
                    f"dimension(s), got {given}; set generator.dimensions too"
                )
        if any(not low < high or not np.isfinite(high - low) for low, high in self.bounds):
            raise ValueError(
                f"bounds: expected pairs (lowest, highest) in ascending order, got {self.bounds}"
            )
        if any(number < 2 for number in self.num_points):
            raise ValueError(
                f"num_points: expected at least 2 along every axis, got {self.num_points}"
            )
        return self

    def axes(self) -> list[FloatArray]:
        """Grid points of each axis, ascending."""
        bounds = self.bounds * (self.dimensions if len(self.bounds) == 1 else 1)
        numbers = self.num_points * (self.dimensions if len(self.num_points) == 1 else 1)
        return [np.linspace(*ends, number) for ends, number in zip(bounds, numbers, strict=True)]

    def atoms(self) -> FloatArray:  # (n, 2)
        """Every grid point (x, y), y running fastest; y = 0 on a grid of one dimension."""
        axes = self.axes() if self.dimensions == 2 else [*self.axes(), np.zeros(1)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def atom_indices(
    points: FloatArray,  # (n, 2)
    config: DensityConfig,
) -> IntArray:  # (n,)
    """Row of each point in `config.atoms()`; raises `ConfigError` for one that is no grid point.

    A coordinate may be off by 1e-9 of the grid's spacing, no more: nothing is moved to a grid.
    """
    axes = config.axes()
    indices = np.zeros(len(points), dtype=np.int64)
    off = np.zeros(len(points), dtype=np.bool_)
    for axis, coordinates in enumerate(axes):
        spacing = coordinates[1] - coordinates[0]
        values = points[:, axis]
        # Clipped first: a coordinate far outside would not fit an integer.
        steps = np.clip((values - coordinates[0]) / spacing, 0, len(coordinates) - 1)
        nearest = np.rint(steps).astype(np.int64)
        off |= np.abs(values - coordinates[nearest]) > ATOM_TOLERANCE * spacing
        indices = indices * len(coordinates) + nearest
    if config.dimensions == 1:
        off |= points[:, 1] != 0
    if off.any():
        row = int(np.argmax(off))
        grids = " x ".join(f"{len(axis)} on [{axis[0]:g}, {axis[-1]:g}]" for axis in axes)
        only = " with y = 0" if config.dimensions == 1 else ""
        raise ConfigError(
            f"generator density: expected points of its grid ({grids}{only}), got "
            f"({points[row, 0]}, {points[row, 1]}) in row {row} ({int(off.sum())} such rows of "
            f"{len(points)}); curate its own samples, or choose the grid that holds them"
        )
    return indices
