"""Parquet as the project writes and reads it: page checksums always, plain floats uncompressed."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import BadNumbers

ROW_GROUP = 65_536
IMAGE_ROW_GROUP = 4_096
# Bytes from which a file is mapped and read in threads; below, both cost more than they save.
LARGE = 1 << 22


def write_table(table: pa.Table, sink: Any) -> None:
    """Write `table` to the open binary `sink`.

    Strings and token lists are zstd-compressed without a dictionary; numbers and pixels, which
    hardly shrink, are stored as they are. Every page carries a checksum. The bytes depend on
    the rows and the pyarrow version only, not on how the table is cut into chunks.
    """
    has_images = any(pa.types.is_fixed_size_binary(field.type) for field in table.schema)
    compression = {
        leaf: "zstd" if _compresses(field.type) else "none"
        for field in table.schema
        for leaf in _leaves(field)
    }
    rows = IMAGE_ROW_GROUP if has_images else ROW_GROUP
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression=compression,
        use_dictionary=False,
        write_page_checksum=True,
        write_statistics=not has_images,
    ) as writer:
        # Pages end where the chunks of a column do, and chunks depend on who made the rows: a
        # row group at a time is made one chunk, a copy of 13 MB at most for 32 x 32 x 3 images.
        for start in range(0, max(table.num_rows, 1), rows):
            writer.write_table(table.slice(start, rows).combine_chunks(), row_group_size=rows)


def parse_table(content: bytes | memoryview) -> pa.Table:
    """Table from the bytes of one Parquet file; page checksums are verified."""
    return pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True).read(
        use_threads=len(content) > LARGE
    )


def read_rows(path: Path, start: int, stop: int) -> pa.Table:
    """Rows `start` .. `stop` of a Parquet file, reading only the row groups they are in."""
    with pq.ParquetFile(path, memory_map=True, page_checksum_verification=True) as file:
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        ends = np.cumsum(sizes)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right")
        rows = file.read_row_groups(range(first, last + 1))
    return rows.slice(start - int(ends[first]) + sizes[first], stop - start)


def table_bytes(table: pa.Table) -> bytes:
    """Parquet file of `table` in memory."""
    sink = io.BytesIO()
    write_table(table, sink)
    return sink.getvalue()


def nan_counts(table: pa.Table) -> dict[str, int]:
    """Number of NaN values for each floating column that has any."""
    counts: dict[str, int] = {}
    for field in table.schema:
        if pa.types.is_floating(field.type):
            nans = int(np.isnan(table[field.name].to_numpy()).sum())
            if nans:
                counts[field.name] = nans
    return counts


def require_schema(table: pa.Table, expected: pa.Schema, what: str) -> pa.Table:
    """`table` with the columns in the order of `expected` and its field metadata.

    Raises `BadNumbers` naming the columns when names or types differ, or a value is null.
    """
    found = {field.name: field.type for field in table.schema}
    wanted = {field.name: field.type for field in expected}
    if found != wanted or len(found) != table.num_columns:
        raise BadNumbers(
            f"{what}: expected columns {_described(expected)}, got {_described(table.schema)}"
        )
    columns = [table[name] for name in wanted]
    for name, column in zip(wanted, columns, strict=True):
        if column.null_count:
            raise BadNumbers(f"{what}: column {name!r} has {column.null_count} empty values")
    return pa.Table.from_arrays(columns, schema=expected)


def _described(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name!r}: {field.type}" for field in schema)


def _compresses(kind: pa.DataType) -> bool:
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_list)
    return any(is_text(kind) for is_text in texts)


def _leaves(field: pa.Field) -> list[str]:
    if pa.types.is_list(field.type):
        return [f"{field.name}.list.element"]
    return [field.name]
