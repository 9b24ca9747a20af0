"""What commands print: data on stdout as a table or one JSON document, progress on stderr."""

import json
import math
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.text_samples import escape_controls

JSON_SCHEMA = "pluralist/1"
WIDTH_WHEN_PIPED = 240


def stdout() -> Console:
    """Console for data; plain and wide when stdout is no terminal, colourless under NO_COLOR."""
    width = None if sys.stdout.isatty() else WIDTH_WHEN_PIPED
    return Console(file=sys.stdout, width=width, highlight=False, soft_wrap=width is not None)


def stderr() -> Console:
    """Console for progress and messages."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(command: str, content: Any) -> None:
    """One JSON document on stdout: {"schema", "command", "data"}; NaN and infinity become null."""
    document = {"schema": JSON_SCHEMA, "command": command, "data": _finite(content)}
    print(json.dumps(document, indent=1, allow_nan=False))


def print_line(text: str) -> None:
    """One line of data on stdout, printed as it is."""
    print(_printable(text, sys.stdout))


def print_note(text: str) -> None:
    """One message on stderr, printed as it is."""
    print(_printable(text, sys.stderr), file=sys.stderr)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "") -> None:
    """A table on stdout; numbers are right-aligned, text is shown without interpreting it."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for position, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[position], int | float) for row in rows)
        heading = Text(_printable(column, sys.stdout))
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(format_value(value), sys.stdout)) for value in row))
    stdout().print(table)


def format_value(value: Any) -> str:
    """A value as a cell: six significant digits for floats, a dash for None and NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def format_size(size: float) -> str:
    """A number of bytes in words: 1.5 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def format_seconds(seconds: float) -> str:
    """A duration in words: 0.4 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _printable(text: str, stream: TextIO) -> str:
    """Control characters, which could steer the terminal, shown as escapes; newlines kept.

    So are characters that the stream cannot encode.
    """
    encoding = stream.encoding or "utf-8"
    shown = escape_controls(text, keep="\n")
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
