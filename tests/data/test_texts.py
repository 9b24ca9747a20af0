"""Texts in tables and out of them."""

import numpy as np
import pytest

from data.errors import ConfigError
from data.parquet import parse_table, table_bytes
from data.texts import prompts_of, text_schema, text_table, texts_of, token_ids_of

IDS = [np.array([3, 1], np.int32), np.empty(0, np.int32), np.array([2], np.int32)]
TEXTS = ["a\x00b", "", "\ufffd"]
FINISHED = np.array([True, False, True])


@pytest.mark.parametrize("prompts", [None, ["x", "y\n", ""]])
def test_texts_come_back_from_a_file_as_they_were(prompts: list[str] | None) -> None:
    table = text_table(IDS, TEXTS, FINISHED, prompts=prompts)
    assert table.schema == text_schema(with_prompts=prompts is not None)
    read = parse_table(table_bytes(table))
    assert read.equals(table)
    assert texts_of(read, "test") == TEXTS
    if prompts is not None:
        assert prompts_of(read, "test") == prompts
    for rows in (read, read.slice(1)):
        expected = IDS[len(IDS) - rows.num_rows :]
        for found, wanted in zip(token_ids_of(rows), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_no_texts_are_a_table_of_no_rows() -> None:
    table = text_table([], [], np.empty(0, bool))
    assert table.num_rows == 0 and token_ids_of(table) == [] and texts_of(table, "test") == []


def test_samples_without_texts_are_refused() -> None:
    table = text_table(IDS, TEXTS, FINISHED).drop_columns(["text"])
    with pytest.raises(ConfigError, match="test: expected samples with a column 'text', got token"):
        texts_of(table, "test")


def test_samples_without_prompts_are_refused_where_prompts_are_needed() -> None:
    table = text_table(IDS, TEXTS, FINISHED)
    with pytest.raises(ConfigError, match=r"test: expected .* column 'prompt', .* with prompts$"):
        prompts_of(table, "test")
