"""One committed file as `show` presents it: schema, rows, head and statistics."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data.artifact import Artifact
from data.manifest import FileEntry
from data.prompts import AnyPrompts
from data.texts import PROMPT, TEXT, TOKEN_IDS
from pluralist.output import format_size, format_value, print_line, print_table
from tasks.text_samples import HIDDEN, answers_unsafe, terminal_text

HEAD_ROWS = 5
# Items of a list on the terminal.
MOST_ITEMS = 8
# What is read of a row that answers an unsafe prompt; its tokens are the answer too.
READ = (PROMPT, TEXT, TOKEN_IDS)


def describe_file(
    artifact: Artifact, entry: FileEntry, *, hide: AnyPrompts | None = None
) -> dict[str, Any]:
    """Size and digest of a verified file; for Parquet also schema, head and statistics.

    Values are whole, as JSON holds them: bytes stand in hexadecimal digits. In the rows of the
    head that answer an unsafe prompt of `hide`, whose numbers are in `hidden`, prompt, text and
    tokens are null.
    """
    described: dict[str, Any] = {
        "path": entry.path,
        "location": str(artifact.path(entry.path)),
        "bytes": entry.size,
        "sha256": entry.sha256,
        "rows": entry.rows,
    }
    if not entry.path.endswith(".parquet"):
        artifact.verify_file(entry.path)
        return described
    table = artifact.table(entry.path)
    described["schema"] = [
        {"name": field.name, "type": str(field.type), **_metadata(field)} for field in table.schema
    ]
    head = table.slice(0, HEAD_ROWS).to_pylist()
    hidden = [number for number, row in enumerate(head) if answers_unsafe(row, hide)]
    described["head"] = [
        {
            name: None if number in hidden and name in READ else _plain(value)
            for name, value in row.items()
        }
        for number, row in enumerate(head)
    ]
    described["hidden"] = hidden
    described["statistics"] = {
        name: _statistics(table[name])
        for name in table.column_names
        if pa.types.is_integer(table[name].type) or pa.types.is_floating(table[name].type)
    }
    return described


def print_file(described: dict[str, Any]) -> None:
    """The description of one file on stdout; long texts, lists and bytes are shortened."""
    count = "" if described["rows"] is None else f"{described['rows']} rows, "
    print_line(f"{described['path']}  {count}{format_size(described['bytes'])}")
    if "schema" not in described:
        print_line("")
        return
    statistics = described["statistics"]
    print_table(
        ("column", "type", "min", "mean", "max", "meaning"),
        [
            (
                field["name"],
                field["type"],
                *(statistics.get(field["name"], {}).get(key) for key in ("min", "mean", "max")),
                field.get("meaning", ""),
            )
            for field in described["schema"]
        ],
    )
    print_line("")
    names = [field["name"] for field in described["schema"]]
    hidden = described["hidden"]
    rows = [
        ["(hidden)" if number in hidden and name in READ else _cell(row[name]) for name in names]
        for number, row in enumerate(described["head"])
    ]
    print_table(names, rows)
    if hidden:
        print_line(f"(hidden) {HIDDEN}; --unsafe shows them")
    print_line("")


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _cell(value: Any) -> Any:
    """A value that may be any size as one line of the table, with a count of what is left out."""
    if isinstance(value, str):
        return terminal_text(value)
    if isinstance(value, list):
        shown = ", ".join(format_value(_cell(one)) for one in value[:MOST_ITEMS])
        more = len(value) - MOST_ITEMS
        return f"[{shown}, … ({more:,} more)]" if more > 0 else f"[{shown}]"
    return value


def _metadata(field: pa.Field) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}


def _statistics(column: pa.ChunkedArray) -> dict[str, float | int | None]:
    extremes = pc.min_max(column).as_py()
    return {"min": extremes["min"], "mean": pc.mean(column).as_py(), "max": extremes["max"]}
