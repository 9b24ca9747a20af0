"""Texts of a user's own: one file in .txt, .jsonl or .parquet."""

from typing import Literal

from data.configuration import setting
from data.errors import ConfigError
from data.text_rows import TextSource, checked_file, read_texts

USER = "corpus text-files"


class TextFiles(TextSource):
    """Documents of one file: parts of .txt between empty lines, rows of .jsonl and .parquet."""

    kind: Literal["text-files"] = setting("text-files", "corpus", "O")
    column: str = setting("text", "field of .jsonl or column of .parquet with the texts", "O")


def read_documents(config: TextFiles) -> tuple[str, ...]:
    """Every document in the order of the file.

    Raises `ConfigError` for a file without any or with a text that cannot be used, and as
    `checked_file`.
    """
    path = checked_file(config.path, config.sha256, user=USER)
    documents = read_texts(path, config.column, user=USER, plain="parts")
    if not documents:
        raise ConfigError(f"{USER}: expected documents in {path}, got none; give a file with texts")
    return tuple(documents)
