import numpy as np
import pyarrow as pa
import pytest

from data.errors import BadNumbers, ConfigError
from data.points import points_of


def test_points_are_the_columns_x_and_y_whatever_else_the_table_holds() -> None:
    table = pa.table({"y": [3.0, 4.0], "name": ["a", "b"], "x": [1, 2]})
    np.testing.assert_array_equal(points_of(table, "test"), [[1.0, 3.0], [2.0, 4.0]])


def test_a_table_without_rows_gives_no_points() -> None:
    table = pa.table({"x": pa.array([], pa.float64()), "y": pa.array([], pa.float64())})
    assert points_of(table, "test").shape == (0, 2)


def test_a_missing_column_is_named_with_what_came() -> None:
    with pytest.raises(ConfigError, match="test: expected the columns x, y, got x, text"):
        points_of(pa.table({"x": [1.0], "text": ["a"]}), "test")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, None])
def test_a_coordinate_that_is_not_finite_is_named_with_its_row(bad: float | None) -> None:
    table = pa.table({"x": [0.0, 0.0, bad], "y": [0.0, 0.0, 1.0]})
    with pytest.raises(BadNumbers, match=r"test: expected finite .* in row 2 \(1 such rows of 3"):
        points_of(table, "test")
