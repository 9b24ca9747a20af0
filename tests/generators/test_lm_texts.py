"""Contexts that are continued and rows that are trained on."""

import re

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from data.text_tokenizer import TextTokenizer, train_bpe
from data.texts import text_table
from generators.lm_texts import (
    check_prompts,
    check_room,
    contexts_of,
    open_context,
    prompts_of,
    rows_of,
)
from tests.data.chats import with_beginning, with_chat


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return train_bpe(["to be or not to be, that is the question"] * 3, 280)


def texts_table(
    tokenizer: TextTokenizer, texts: list[str], finished: list[bool], prompts: list[str] | None
) -> pa.Table:
    ids = [np.array(one, np.int32) for one in tokenizer.encode(texts)]
    return text_table(ids, texts, np.array(finished), prompts=prompts)


def test_a_prompt_is_written_into_the_format_as_it_is(tokenizer: TextTokenizer) -> None:
    contexts = contexts_of(["to be {x}?", ""], "{{Q}} {prompt}\n", tokenizer)
    assert tokenizer.decode(contexts) == ["{{Q}} to be {x}?\n", "{{Q}} \n"]


def test_a_context_without_tokens_begins_at_the_end_of_a_text(tokenizer: TextTokenizer) -> None:
    assert contexts_of([""], "{prompt}", tokenizer) == [[tokenizer.end_of_text]]
    assert open_context(tokenizer) == [tokenizer.end_of_text]


def test_texts_begin_as_the_published_tokenizer_begins_them() -> None:
    llama = with_beginning(["to be or not to be"] * 3)
    begin, words = list(llama.beginning), llama.encode(["to be"])[0]
    assert len(begin) == 1
    assert open_context(llama) == contexts_of([""], "{prompt}", llama)[0] == begin
    assert contexts_of(["to be"], "{prompt}", llama) == [[*begin, *words]]
    (row,) = rows_of(texts_table(llama, ["to be"], [True], None), "{prompt}", llama)
    assert row.ids.tolist() == [*begin, *words, llama.end_of_text]


def test_the_chat_template_is_the_tokenizers(tokenizer: TextTokenizer) -> None:
    with pytest.raises(ConfigError, match="expected a chat template for prompt_format 'chat'"):
        contexts_of(["to be"], "chat", tokenizer)


def test_texts_follow_the_end_of_a_text_and_learn_their_own(tokenizer: TextTokenizer) -> None:
    table = texts_table(tokenizer, ["to be", "or not"], [True, False], None)
    end = tokenizer.end_of_text
    ended, cut_off = rows_of(table, "{prompt}\n", tokenizer)
    assert ended.ids.tolist() == [end, *tokenizer.encode(["to be"])[0], end]
    assert cut_off.ids.tolist() == [end, *tokenizer.encode(["or not"])[0]]
    assert (ended.num_context, cut_off.num_context) == (1, 1)
    assert ended.ids.dtype == np.int32


def test_completions_follow_their_prompts(tokenizer: TextTokenizer) -> None:
    table = texts_table(tokenizer, ["or not"], [True], ["to be"])
    (row,) = rows_of(table, "{prompt}, ", tokenizer)
    context = tokenizer.encode(["to be, "])[0]
    completion = tokenizer.encode(["or not"])[0]
    assert row.ids.tolist() == [*context, *completion, tokenizer.end_of_text]
    assert row.num_context == len(context)


def test_answers_of_a_chat_learn_the_end_that_its_template_writes() -> None:
    chat = with_chat(["to be or not to be"] * 3)
    end, answer = chat.end_of_answer, chat.encode(["or not"])[0]
    assert end is not None and end != chat.end_of_text
    asked = texts_table(chat, ["or not", "or not"], [True, False], ["to be"] * 2)
    for prompt_format, learnt in (("chat", end), ("{prompt}\n", chat.end_of_text)):
        ended, cut_off = rows_of(asked, prompt_format, chat)
        assert ended.ids[ended.num_context :].tolist() == [*answer, learnt]
        assert cut_off.ids[cut_off.num_context :].tolist() == answer
    open_text = rows_of(asked.drop_columns("prompt"), "chat", chat)[0]
    assert open_text.ids[-1] == chat.end_of_text, "it answers nothing"


def test_rows_without_texts_are_refused(tokenizer: TextTokenizer) -> None:
    with pytest.raises(ConfigError, match="got no finished, token_ids; give rows of a text domain"):
        rows_of(pa.table({"x": [1.0]}), "{prompt}", tokenizer)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (pa.table({"text": ["a", "b"]}), "expected prompts with a column 'prompt', got text"),
        (pa.table({"prompt": ["a"]}), "expected a prompt for each of 2 samples, got 1; give one"),
        (pa.table({"prompt": ["a", None]}), "a prompt in every row, got none in row 1; leave the"),
    ],
)
def test_prompts_that_do_not_go_with_the_samples_are_refused(table: pa.Table, text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)):
        prompts_of(table, 2)


def test_prompts_are_taken_in_their_order() -> None:
    assert prompts_of(pa.table({"group": [0, 1], "prompt": ["b", "a"]}), 2) == ["b", "a"]


def test_a_prompt_that_leaves_no_room_is_refused_with_its_row() -> None:
    check_room({0: [1] * 6, 1: [1] * 6}, 10, 4)
    check_room({0: [1] * 6}, None, 4)
    with pytest.raises(
        ConfigError,
        match=r"prompts of at most 6 tokens \(the model's context of 10 less "
        r"generation\.max_new_tokens 4\), got 7 in row 1; shorten the prompt, or lower",
    ):
        check_room({0: [1] * 6, 1: [1] * 7}, 10, 4)


@pytest.mark.parametrize("prompt_format", ["{prompt}", "{prompt}\n", "Q: {prompt} {prompt}\nA:"])
@pytest.mark.parametrize("text", ["to be or not ", "\u0958\x00\U0001f600", "question"])
def test_a_prompt_of_a_set_is_refused_exactly_when_its_tokens_leave_no_room(
    tokenizer: TextTokenizer, prompt_format: str, text: str
) -> None:
    prompts = ["to be", *(text * times for times in range(1, 12))]
    lengths = [len(one) for one in contexts_of(prompts, prompt_format, tokenizer)]
    for room in range(1, max(lengths) + 1):
        long = [number for number, length in enumerate(lengths, start=1) if length > room]
        if not long:
            check_prompts(prompts, prompt_format, tokenizer, room + 4, 4)
            continue
        got = rf"at most {room} tokens .* got {lengths[long[0] - 1]} in prompt {long[0]}; shorten"
        with pytest.raises(ConfigError, match=got):
            check_prompts(prompts, prompt_format, tokenizer, room + 4, 4)
    check_prompts(prompts, prompt_format, tokenizer, None, 4)


def test_a_large_set_of_short_prompts_is_not_tokenized(
    tokenizer: TextTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenized: list[str] = []
    encode = TextTokenizer.encode

    def noted(self: TextTokenizer, texts: list[str]) -> list[list[int]]:
        tokenized.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(TextTokenizer, "encode", noted)
    check_prompts(["to be?"] * 1_000 + ["to be " * 10], "{prompt}\n", tokenizer, 100, 4)
    assert tokenized == ["\n", "to be " * 10 + "\n"]
