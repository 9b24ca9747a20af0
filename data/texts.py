"""Texts in tables: token ids, which lose nothing, and the text they stand for."""

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import ConfigError
from data.schemas import described

PROMPT, TOKEN_IDS, TEXT, FINISHED = "prompt", "token_ids", "text", "finished"


PROMPT_FIELD = described(PROMPT, pa.string(), "what the text answers")


def text_schema(*, with_prompts: bool) -> pa.Schema:
    """Columns of generated texts; the prompt is no part of `token_ids` and `text`."""
    prompt = [PROMPT_FIELD] if with_prompts else []
    return pa.schema(
        [
            *prompt,
            described(TOKEN_IDS, pa.list_(pa.int32()), "tokens of the text, without end of text"),
            described(TEXT, pa.string(), "the tokens decoded; undecodable bytes as U+FFFD"),
            described(FINISHED, pa.bool_(), "whether it ended by itself, not by its length"),
        ]
    )


def text_table(
    token_ids: Sequence[npt.NDArray[np.int32]],  # n of (length,)
    texts: Sequence[str],  # n
    finished: npt.NDArray[np.bool_],  # (n,)
    *,
    prompts: Sequence[str] | None = None,  # n
) -> pa.Table:
    """Rows of `text_schema`."""
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in token_ids])]).astype(np.int32)
    values = np.concatenate(token_ids) if token_ids else np.empty(0, dtype=np.int32)
    columns = {
        TOKEN_IDS: pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, pa.int32())),
        TEXT: pa.array(texts, pa.string()),
        FINISHED: pa.array(finished, pa.bool_()),
    }
    if prompts is not None:
        columns = {PROMPT: pa.array(prompts, pa.string()), **columns}
    return pa.table(columns, schema=text_schema(with_prompts=prompts is not None))


def token_ids_of(table: pa.Table) -> list[npt.NDArray[np.int32]]:  # n of (length,)
    """Token ids of every row."""
    column = table[TOKEN_IDS].combine_chunks()
    offsets, values = column.offsets.to_numpy(), column.values.to_numpy()
    return [values[a:b] for a, b in itertools.pairwise(offsets)]


def texts_of(table: pa.Table, user: str) -> list[str]:  # n
    """Text of every row; raises `ConfigError`, led by `user`, for a table without texts."""
    return _strings(table, TEXT, user, "a text domain")


def prompts_of(table: pa.Table, user: str) -> list[str]:  # n
    """Prompt of every row; raises `ConfigError`, led by `user`, for a table without prompts."""
    return _strings(table, PROMPT, user, "a text domain with prompts")


def _strings(table: pa.Table, name: str, user: str, where: str) -> list[str]:  # n
    if name not in table.column_names:
        raise ConfigError(
            f"{user}: expected samples with a column {name!r}, got {', '.join(table.column_names)}"
            f"; use it in {where}"
        )
    strings: list[str] = table[name].to_pylist()
    return strings
