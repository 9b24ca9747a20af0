"""Texts from files of others, row by row: whatever is not a Unicode text is refused by its place.

Lines are counted from 1, as editors do, rows of Parquet from 0.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SerializationInfo, model_serializer, model_validator

from data.configuration import FOR_FINGERPRINT, FrozenConfig, setting
from data.errors import ConfigError, EnvironmentProblem
from data.files import digest_file

SHA256 = r"^[0-9a-f]{64}$"
SUFFIXES = (".txt", ".jsonl", ".parquet")


class TextSource(FrozenConfig):
    """A file of texts, known by its SHA-256 and its suffix: where it lies is in no fingerprint."""

    path: str = setting(..., "file in .txt, .jsonl or .parquet", "O", location=True)
    sha256: str = setting(..., "SHA-256 of the file, checked on load", "O", pattern=SHA256)

    @model_validator(mode="before")
    @classmethod
    def _ask_for_the_digest(cls, given: Any) -> Any:
        if isinstance(given, dict) and "path" in given and "sha256" not in given:
            raise ValueError(
                f"expected sha256 beside path {given['path']!r}, got none; give what "
                f"`sha256sum {given['path']}` prints"
            )
        return given

    @model_validator(mode="after")
    def _check_suffix(self) -> Self:
        if Path(self.path).suffix not in SUFFIXES:
            raise ValueError(
                f"path: expected a file in {', '.join(SUFFIXES)}, got {self.path!r}; convert it"
            )
        return self

    @model_serializer(mode="wrap")
    def _with_suffix(self, handler: Any, info: SerializationInfo) -> dict[str, Any]:
        """As of every configuration; for fingerprints how the file is read, which `path` tells."""
        plain = self._leave_out(handler, info)
        if info.context == FOR_FINGERPRINT:
            plain["suffix"] = Path(self.path).suffix
        return plain


def checked_file(path: str, sha256: str, *, user: str) -> Path:
    """The file, whose SHA-256 is the promised one.

    Raises `EnvironmentProblem` when it cannot be read, `ConfigError` for another content.
    """
    try:
        found = digest_file(Path(path)).sha256
    except OSError as error:
        raise EnvironmentProblem(
            f"{user}: expected a file {path}, got: {error}; put it there or correct the path"
        ) from error
    if found != sha256:
        raise ConfigError(
            f"{user}: expected SHA-256 {sha256} of {path}, got {found}; put the right file there, "
            "or set sha256 to this one's, which makes it another run"
        )
    return Path(path)


def read_texts(
    path: Path, column: str, *, user: str, plain: Literal["lines", "parts"]
) -> list[str]:
    """Texts of a file by its suffix: `column` of .parquet, a field of .jsonl, `plain` of .txt.

    Plain text gives its non-empty `lines`, or its `parts` between empty lines.
    Raises `ConfigError` with the place of a text that is empty, no text, or not Unicode.
    """
    if path.suffix == ".parquet":
        return read_column(path, column, user=user)
    lines = _lines(path, user)
    if path.suffix == ".jsonl":
        return [_json_text(line, column, where, user) for where, line in lines if line.strip()]
    if plain == "lines":
        return [line for _, line in lines if line.strip()]
    return _parts(line for _, line in lines)


def read_column(path: Path, column: str, *, user: str, may_be_empty: bool = False) -> list[str]:
    """Texts of a column of a Parquet file.

    Raises `EnvironmentProblem` for a file that cannot be read, `ConfigError` as `read_texts`.
    """
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            schema = file.schema_arrow
            found = schema.field(column).type if column in schema.names else None
            if found not in (pa.string(), pa.large_string()):
                columns = ", ".join(f"{field.name}: {field.type}" for field in schema)
                raise ConfigError(
                    f"{user}: expected a column {column}: string in {path}, got {columns}; name "
                    "the column that holds the texts, or give another file"
                )
            # As bytes: arrow does not check that they are UTF-8, and Python would not say where.
            kind = pa.binary() if found == pa.string() else pa.large_binary()
            values = file.read(columns=[column])[column].cast(kind).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise EnvironmentProblem(
            f"{user}: expected a Parquet file in {path}, got: {error}; fetch it anew"
        ) from error
    texts = []
    for row, value in enumerate(values):
        where = f"row {row} (from 0) of {path}"
        if value is None:
            raise _refused(user, where, "nothing")
        text = _decoded(value, where, user)
        texts.append(text if may_be_empty else _filled(text, where, user))
    return texts


def _lines(path: Path, user: str) -> Iterator[tuple[str, str]]:
    """Place and text of each line; it ends at a line feed, a carriage return before that goes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvironmentProblem(
            f"{user}: expected a text file in {path}, got: {error}; put it there"
        ) from error
    # Not splitlines(): it also cuts at form feeds and at separators within a JSON text.
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        where = f"line {number} of {path}"
        yield where, _decoded(line.removesuffix(b"\r"), where, user)


def _json_text(line: str, field: str, where: str, user: str) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refused(user, where, f"no JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get(field), str):
        raise _refused(user, where, f"no object with a text in field {field!r}")
    text: str = record[field]
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # JSON can spell what UTF-8 cannot hold, and no file of ours could keep it.
        code = f"U+{ord(text[error.start]):04X}"
        raise _refused(user, where, f"a lone surrogate {code} at {error.start}") from error
    return _filled(text, where, user)


def _parts(lines: Iterator[str]) -> list[str]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            parts[-1].append(line)
        elif parts[-1]:
            parts.append([])
    return ["\n".join(part) for part in parts if part]


def _decoded(content: bytes, where: str, user: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        got = f"bytes that are not UTF-8 at {error.start} ({error.reason})"
        raise _refused(user, where, got) from error


def _filled(text: str, where: str, user: str) -> str:
    if not text.strip():
        raise _refused(user, where, "an empty one")
    return text


def _refused(user: str, where: str, got: str) -> ConfigError:
    return ConfigError(
        f"{user}: expected a Unicode text in {where}, got {got}; repair it or leave it out"
    )
