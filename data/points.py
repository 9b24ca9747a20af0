"""Points of the plane, taken out of a table."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import BadNumbers, ConfigError
from data.schemas import POINTS

FloatArray = npt.NDArray[np.float64]


def points_of(
    table: pa.Table,  # n rows
    user: str,
) -> FloatArray:  # (n, 2)
    """Columns x and y of `table`; other columns are ignored.

    `user` is who needs them and starts every message. Raises `ConfigError` for a missing
    column, `BadNumbers` naming the first row with a NaN, an infinity or a null.
    """
    missing = [name for name in POINTS.names if name not in table.column_names]
    if missing:
        raise ConfigError(
            f"{user}: expected the columns {', '.join(POINTS.names)}, got "
            f"{', '.join(table.column_names) or 'none'}; use it with a generator of points"
        )
    columns = [table[name].to_numpy().astype(np.float64) for name in POINTS.names]
    points = np.column_stack(columns)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        x, y = points[bad[0]]
        raise BadNumbers(
            f"{user}: expected finite coordinates, got ({x}, {y}) in row {bad[0]} "
            f"({len(bad)} such rows of {len(points)}); correct what produced them"
        )
    return points
