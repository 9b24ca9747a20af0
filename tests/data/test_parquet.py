"""Parquet files: page checksums, schemas, other readers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import BadNumbers
from data.images import image_table
from data.parquet import nan_counts, parse_table, require_schema, table_bytes
from data.schemas import POINTS, described

TEXT = pa.schema(
    [
        described("token_ids", pa.list_(pa.int32()), "tokens"),
        described("text", pa.string(), "text"),
        described("pixels", pa.binary(12), "2 x 2 x 3 image", shape="2,2,3"),
    ]
)


def text_table(num_rows: int = 50) -> pa.Table:
    return pa.table(
        {
            "token_ids": [list(range(row % 7)) for row in range(num_rows)],
            "text": [f"row {row} \x00 ü" for row in range(num_rows)],
            "pixels": pa.array([bytes(range(12))] * num_rows, pa.binary(12)),
        },
        schema=TEXT,
    )


def test_every_payload_type_reads_back_as_written() -> None:
    table = text_table()
    found = parse_table(table_bytes(table))
    assert found.equals(table)
    assert found.schema.field("pixels").metadata[b"shape"] == b"2,2,3"


def test_equal_tables_give_equal_bytes() -> None:
    assert table_bytes(text_table()) == table_bytes(text_table())


def test_the_bytes_do_not_depend_on_how_the_rows_are_cut_into_chunks() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9000, 16, 16, 3), dtype=np.uint8)
    ids = np.arange(len(pixels), dtype=np.int32)
    whole = image_table(pixels).append_column("id", pa.array(ids))
    cut = pa.concat_tables([whole.slice(0, 3001), whole.slice(3001, 1999), whole.slice(5000)])
    # Committed shards come back cut where their row groups end.
    read = parse_table(table_bytes(cut))
    assert table_bytes(whole) == table_bytes(cut) == table_bytes(read)
    assert pq.ParquetFile(pa.BufferReader(table_bytes(cut))).num_row_groups == 3


def test_a_table_without_rows_keeps_its_columns() -> None:
    assert parse_table(table_bytes(text_table(0))).equals(text_table(0))


def test_a_flipped_bit_in_a_page_is_seen_by_the_page_checksum() -> None:
    content = bytearray(table_bytes(pa.table({"x": np.arange(100.0), "y": np.ones(100)})))
    content[400] ^= 4
    with pytest.raises(OSError, match="CRC"):
        parse_table(bytes(content))


def test_pandas_reads_every_payload_type(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(table_bytes(text_table()))
    frame = pd.read_parquet(path)
    assert frame["text"].iloc[3] == "row 3 \x00 ü"
    assert list(frame["token_ids"].iloc[3]) == [0, 1, 2]


def test_numbers_are_stored_uncompressed_and_text_compressed(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(table_bytes(text_table()))
    group = pq.ParquetFile(path).metadata.row_group(0)
    found = {group.column(i).path_in_schema: group.column(i).compression for i in range(3)}
    assert found["text"] == "ZSTD"
    assert found["pixels"] == "UNCOMPRESSED"


def test_nan_values_are_counted_by_column() -> None:
    table = pa.table({"x": [1.0, float("nan")], "y": [0.0, 0.0], "name": ["a", "b"]})
    assert nan_counts(table) == {"x": 1}


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(BadNumbers, match=r"points: expected columns .*'y'.*, got .*'z'"):
        require_schema(pa.table({"x": [1.0], "z": [1.0]}), POINTS, "points")


def test_an_empty_value_is_refused() -> None:
    table = pa.table({"x": pa.array([1.0, None]), "y": [1.0, 2.0]})
    with pytest.raises(BadNumbers, match="column 'x' has 1 empty values"):
        require_schema(table, POINTS, "points")
