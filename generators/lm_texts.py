"""Between texts and tokens: contexts that are continued, rows that are trained on."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.errors import ConfigError
from data.text_tokenizer import TextTokenizer
from data.texts import FINISHED, PROMPT, TOKEN_IDS, text_table, token_ids_of
from generators.lm_rows import TokenRow

CHAT = "chat"
# A token holds at least a byte; before that NFC, which some tokenizers bring texts to, makes at
# most three of one.
MOST_TOKENS_A_BYTE = 3
USER = "generator causal-lm"


def contexts_of(
    prompts: Sequence[str],  # n
    prompt_format: str,
    tokenizer: TextTokenizer,
) -> list[list[int]]:
    """Tokens before each completion: the formatted prompt behind what begins a text.

    Where that is nothing, the tokens of `open_context`.
    """
    if prompt_format == CHAT:
        contexts = [list(tokenizer.chat(prompt)) for prompt in prompts]
    else:
        # Not str.format: other braces in the format are text.
        written = [prompt_format.replace("{prompt}", prompt) for prompt in prompts]
        contexts = [[*tokenizer.beginning, *ids] for ids in tokenizer.encode(written)]
    return [context or open_context(tokenizer) for context in contexts]


def open_context(tokenizer: TextTokenizer) -> list[int]:
    """Tokens before a text that answers nothing: its beginning, or the end of the text before."""
    return list(tokenizer.beginning) or [tokenizer.end_of_text]


def end_of_answer(prompt_format: str, tokenizer: TextTokenizer) -> int:
    """Token that ends an answer to a prompt, and that is learnt behind one.

    With `chat` it is the special token that the tokenizer's template writes there, where it writes
    one, which need not be the tokenizer's end of text: base models of Qwen2.5 end a text with
    <|endoftext|> and an answer with <|im_end|>. Otherwise it is the end of text. While an answer
    is drawn, the end of text and the ends that the model's configuration names end it too.
    """
    chat = tokenizer.end_of_answer if prompt_format == CHAT else None
    return tokenizer.end_of_text if chat is None else chat


def prompts_of(table: pa.Table, num_samples: int) -> list[str]:  # n
    """Prompt of every row; raises `ConfigError` for another number of rows, or without prompts."""
    if PROMPT not in table.column_names:
        raise ConfigError(
            f"{USER}: expected prompts with a column {PROMPT!r}, got "
            f"{', '.join(table.column_names) or 'none'}; name it so"
        )
    if table.num_rows != num_samples:
        raise ConfigError(
            f"{USER}: expected a prompt for each of {num_samples} samples, got {table.num_rows}; "
            "give one row a sample"
        )
    prompts: list[str] = table[PROMPT].to_pylist()
    if None in prompts:
        raise ConfigError(
            f"{USER}: expected a prompt in every row, got none in row {prompts.index(None)}; "  # type: ignore[arg-type]
            "leave the row out"
        )
    return prompts


def check_room(
    contexts: Mapping[int, Sequence[int]],  # number -> context
    context_length: int | None,
    max_new_tokens: int,
    *,
    noun: str = "row",
) -> None:
    """Raise `ConfigError`, with its number, for a context that leaves no room to go on."""
    if context_length is None:
        return
    room = context_length - max_new_tokens
    for number, context in contexts.items():
        if len(context) > room:
            raise ConfigError(
                f"{USER}: expected prompts of at most {max(room, 0)} tokens (the model's context "
                f"of {context_length} less generation.max_new_tokens {max_new_tokens}), got "
                f"{len(context)} in {noun} {number}; shorten the prompt, or lower "
                "generator.generation.max_new_tokens"
            )


def check_prompts(
    prompts: Sequence[str],
    prompt_format: str,
    tokenizer: TextTokenizer,
    context_length: int | None,
    max_new_tokens: int,
) -> None:
    """Raise as `check_room` for a prompt of a set, numbered from 1, that leaves no room.

    Prompts of too few bytes for that are not tokenized, so that large sets cost little.
    """
    if context_length is None:
        return
    around = len(contexts_of([""], prompt_format, tokenizer)[0])
    times = max(prompt_format.count("{prompt}"), 1)
    fewest = (context_length - max_new_tokens - around) // (MOST_TOKENS_A_BYTE * times)
    long = [number for number, text in enumerate(prompts) if len(text.encode()) > fewest]
    contexts = contexts_of([prompts[number] for number in long], prompt_format, tokenizer)
    numbered = {number + 1: context for number, context in zip(long, contexts, strict=True)}
    check_room(numbered, context_length, max_new_tokens, noun="prompt")


def rows_of(
    texts: pa.Table,  # of `text_schema`
    prompt_format: str,
    tokenizer: TextTokenizer,
) -> list[TokenRow]:
    """What is trained on: context, text and, where the text ended by itself, its end.

    The end is that of `end_of_answer`, without prompts the end of text. A text that was cut off
    did not end, so none is learnt. Raises `ConfigError` for other columns.
    """
    if missing := {TOKEN_IDS, FINISHED} - set(texts.column_names):
        raise ConfigError(
            f"{USER}: expected texts with columns {TOKEN_IDS} and {FINISHED}, got no "
            f"{', '.join(sorted(missing))}; give rows of a text domain"
        )
    if PROMPT in texts.column_names:
        contexts = contexts_of(prompts_of(texts, texts.num_rows), prompt_format, tokenizer)
        end = [end_of_answer(prompt_format, tokenizer)]
    else:
        contexts = [open_context(tokenizer)] * texts.num_rows
        end = [tokenizer.end_of_text]
    finished = texts[FINISHED].to_pylist()
    return [
        TokenRow(_joined(context, ids, end if ended else []), len(context))
        for context, ids, ended in zip(contexts, token_ids_of(texts), finished, strict=True)
    ]


def _joined(
    context: Sequence[int], ids: npt.NDArray[np.int32], end: Sequence[int]
) -> npt.NDArray[np.int32]:
    return np.concatenate([np.array(context, np.int32), ids, np.array(end, np.int32)])


def table_of(texts: Sequence[str], tokenizer: TextTokenizer) -> pa.Table:
    """Whole texts as rows of `text_schema`."""
    ids = [np.array(one, np.int32) for one in tokenizer.encode(texts)]
    return text_table(ids, texts, np.ones(len(ids), np.bool_))
