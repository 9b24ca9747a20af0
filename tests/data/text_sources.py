"""Small files of texts, as users have them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def sha256(path: Path) -> str:
    """What `sha256sum` prints of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def given(path: Path, **more: Any) -> dict[str, Any]:
    """Path and digest of a file as a configuration names them."""
    return {"path": str(path), "sha256": sha256(path), **more}


def write_json_lines(path: Path, records: Iterable[Any]) -> Path:
    """A line of ASCII a record."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def write_columns(path: Path, columns: Mapping[str, Any]) -> Path:
    """A Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path)
    return path


def strings(*values: bytes) -> pa.Array:
    """A column that claims to be text, of any bytes."""
    return pa.array(values, pa.binary()).view(pa.string())
