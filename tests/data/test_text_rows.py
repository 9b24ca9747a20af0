"""Texts of other people's files: what comes through unchanged, and what is refused where."""

from pathlib import Path
from typing import Literal

import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.configuration import describe_errors
from data.errors import ConfigError, EnvironmentProblem
from data.prompts import PromptFile
from data.text_rows import TextSource, checked_file, read_column, read_texts
from tests.data.text_sources import given, sha256, strings, write_columns, write_json_lines

ODD = ["tab\tand\x0bfeed\x0c", "nul\x00, \x1c, \x7f, \x85", "a\u2028b", "😀 \U0010ffff", " x "]


def read(path: Path, plain: Literal["lines", "parts"] = "lines") -> list[str]:
    return read_texts(path, "text", user="test", plain=plain)


def test_texts_of_any_signs_come_through_every_layout(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\n".join(ODD).encode())
    write_json_lines(tmp_path / "a.jsonl", [{"text": text} for text in ODD])
    write_columns(tmp_path / "a.parquet", {"text": ODD})
    write_columns(tmp_path / "b.parquet", {"text": pa.array(ODD, pa.large_string())})
    for name in ("a.txt", "a.jsonl", "a.parquet", "b.parquet"):
        assert read(tmp_path / name) == ODD


def test_plain_text_gives_lines_or_the_parts_between_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n\r\n  \n\nthree\n")
    assert read(path) == ["one", "two", "three"]
    assert read(path, "parts") == ["one\ntwo", "three"]
    path.write_bytes(b" \n\n")
    assert read(path) == read(path, "parts") == []


def test_empty_lines_between_records_are_no_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n{"text": "b", "other": 1}')
    assert read(path) == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "got"),
    [
        (rb'{"text": "x\ud83d!"}', r"got a lone surrogate U\+D83D at 1; repair it or leave it out"),
        (rb'{"text": "\udc00"}', r"a lone surrogate U\+DC00 at 0"),
        (b'{"text": "\xff"}', "got bytes that are not UTF-8 at 10"),
        (b'{"text": "\xed\xa0\xbd"}', "got bytes that are not UTF-8 at 10"),
        (b"{", "got no JSON"),
        (b"[" * 100_000, "got no JSON"),
        (b"null", "got no object with a text in field 'text'"),
        (b'{"text": 3}', "got no object with a text in field 'text'"),
        (b'{"txt": "a"}', "got no object with a text in field 'text'"),
        (b'{"text": " "}', "got an empty one"),
    ],
)
def test_a_bad_record_is_refused_by_its_line(tmp_path: Path, line: bytes, got: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "fine"}\n\n' + line + b'\n{"text": "fine"}\n')
    with pytest.raises(ConfigError, match=f"test: expected a Unicode text in line 3 of .*{got}"):
        read(path)


def test_plain_text_that_is_not_utf8_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("fine\ncaf\xe9".encode("latin-1"))
    with pytest.raises(ConfigError, match="in line 2 of .*got bytes that are not UTF-8 at 3"):
        read(path)


@pytest.mark.parametrize(
    ("column", "got"),
    [
        (strings(b"a", b"\xed\xa0\x80"), r"row 1 \(from 0\) of .*not UTF-8 at 0"),
        (strings(b"a", b"b\xff"), r"row 1 \(from 0\) of .*not UTF-8 at 1"),
        (pa.array(["a", None]), "row 1 .*got nothing"),
        (pa.array(["a", "\n"]), "row 1 .*got an empty one"),
    ],
)
def test_a_bad_row_of_parquet_is_refused_by_its_number(
    tmp_path: Path, column: pa.Array, got: str
) -> None:
    write_columns(tmp_path / "a.parquet", {"text": column})
    with pytest.raises(ConfigError, match=f"expected a Unicode text in {got}"):
        read(tmp_path / "a.parquet")


def test_empty_rows_can_be_asked_for(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.parquet", {"text": ["", "a"]})
    assert read_column(path, "text", user="test", may_be_empty=True) == ["", "a"]


@pytest.mark.parametrize("columns", [{"texts": ["a"]}, {"text": [1]}, {"text": [["a"]]}])
def test_a_column_of_another_name_or_type_is_refused(
    tmp_path: Path, columns: dict[str, list[object]]
) -> None:
    path = write_columns(tmp_path / "a.parquet", columns)
    with pytest.raises(ConfigError, match=r"expected a column text: string in .*got text"):
        read(path)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(EnvironmentProblem, match=r"expected a Parquet file in .*fetch it anew"):
        read(tmp_path / "a.parquet")
    with pytest.raises(EnvironmentProblem, match=r"expected a text file in .*put it there"):
        read(tmp_path / "a.txt")


def test_a_file_is_known_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a")
    digest = sha256(path)
    assert checked_file(str(path), digest, user="test") == path
    path.write_text("b")
    with pytest.raises(ConfigError, match=f"expected SHA-256 {digest} of .*got {sha256(path)}"):
        checked_file(str(path), digest, user="test")
    with pytest.raises(EnvironmentProblem, match=r"test: expected a file .*correct the path"):
        checked_file(str(tmp_path / "c.txt"), digest, user="test")


def test_where_a_file_lies_is_in_no_fingerprint_but_what_it_holds_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    source = TextSource(**given(tmp_path / "a.txt"))
    digest = sha256(tmp_path / "a.txt")
    assert source.fingerprint_part() == {"sha256": digest, "suffix": ".txt"}
    assert source.model_dump() == given(tmp_path / "a.txt")
    # Under another suffix the same bytes are other texts.
    renamed = source.model_copy(update={"path": "elsewhere/a.jsonl"})
    assert renamed.fingerprint_part() == {"sha256": digest, "suffix": ".jsonl"}
    prompts = PromptFile(**given(tmp_path / "a.txt"), unsafe=True).fingerprint_part()
    assert prompts.keys() == {"kind", "column", "sha256", "suffix"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"path": "a.txt"}, "expected sha256 beside path 'a.txt', got none; give what `sha256sum"),
        ({"path": "a.csv", "sha256": "0" * 64}, "expected a file in .txt, .jsonl, .parquet, got"),
    ],
)
def test_a_file_without_digest_or_of_another_kind_is_refused(
    config: dict[str, str], expected: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        TextSource.model_validate(config)
    assert expected in describe_errors(caught.value)
