"""A user's own documents."""

from pathlib import Path

import pytest

from data.errors import ConfigError
from data.text_files import TextFiles, read_documents
from tests.data.text_sources import given, write_columns, write_json_lines

TEXTS = ["one two", "three\nfour", "five"]


def test_the_same_documents_come_from_every_layout(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(TEXTS))
    write_json_lines(tmp_path / "a.jsonl", [{"text": text} for text in TEXTS])
    write_columns(tmp_path / "a.parquet", {"text": TEXTS})
    for suffix in ("txt", "jsonl", "parquet"):
        assert read_documents(TextFiles(**given(tmp_path / f"a.{suffix}"))) == tuple(TEXTS)


def test_the_column_can_have_another_name(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.parquet", {"body": TEXTS, "text": [1, 2, 3]})
    assert read_documents(TextFiles(**given(path, column="body"))) == tuple(TEXTS)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_file_without_texts_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n\n")
    with pytest.raises(ConfigError, match=r"text-files: expected documents in .*, got none; give"):
        read_documents(TextFiles(**given(tmp_path / name)))
