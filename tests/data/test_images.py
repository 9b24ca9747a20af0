"""Images in tables."""

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from data.images import image_schema, image_table, images_of, shape_of
from data.parquet import parse_table, table_bytes
from data.schemas import POINTS

IMAGES = np.random.default_rng(0).integers(256, size=(7, 4, 5, 3)).astype(np.uint8)


def test_images_come_back_from_a_table_a_file_and_a_slice() -> None:
    table = image_table(IMAGES)
    assert table.schema.equals(image_schema((4, 5, 3)), check_metadata=True)
    np.testing.assert_array_equal(images_of(table, "test"), IMAGES)
    np.testing.assert_array_equal(images_of(parse_table(table_bytes(table)), "test"), IMAGES)
    np.testing.assert_array_equal(images_of(table.slice(2, 3), "test"), IMAGES[2:5])


def test_images_of_several_chunks_and_of_none_keep_their_shape() -> None:
    table = image_table(IMAGES)
    joined = pa.concat_tables([table, table.slice(5)])
    np.testing.assert_array_equal(images_of(joined, "test"), np.concatenate([IMAGES, IMAGES[5:]]))
    assert images_of(table.slice(0, 0), "test").shape == (0, 4, 5, 3)


def test_a_single_chunk_is_not_copied() -> None:
    images = np.zeros((2, 3, 3, 1), np.uint8)
    assert np.shares_memory(images_of(image_table(images), "test"), images)


def test_a_table_without_images_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^reward ink: expected a column 'image'.*got x, y"):
        shape_of(POINTS, "reward ink")
