"""Rows of tokens: their targets, which step takes them, what is refused."""

from collections import Counter

import numpy as np
import pytest
import torch

from data.errors import ConfigError
from generators.lm_rows import (
    NO_TARGET,
    RowOrder,
    TokenBatch,
    TokenRow,
    check_rows,
    even_micro_batches,
    micro_batches,
    share_of,
)
from tests.generators.tiny_lms import CONTEXT, VOCABULARY, random_rows


def row(*ids: int, num_context: int = 1) -> TokenRow:
    return TokenRow(np.array(ids, np.int32), num_context)


def test_labels_are_the_tokens_behind_the_context_and_none_of_the_padding() -> None:
    batch = TokenBatch.of([row(5, 6, 7, 8, num_context=2), row(9, 3), row(4, 4, 2, num_context=0)])
    assert batch.ids.tolist() == [[5, 6, 7, 8], [9, 3, 0, 0], [4, 4, 2, 0]]
    no = NO_TARGET
    assert batch.labels.tolist() == [[no, no, 7, 8], [no, 3, no, no], [no, 4, 2, no]]
    assert batch.ids.dtype == batch.labels.dtype == torch.int64


@pytest.mark.parametrize(("num_context", "targets"), [(0, 2), (1, 2), (2, 1), (3, 0), (9, 0)])
def test_a_first_token_is_no_target(num_context: int, targets: int) -> None:
    assert row(1, 2, 3, num_context=num_context).num_targets == targets


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (row(*[1] * (CONTEXT + 1)), "at most 16 tokens, the model's context, got 17 in row 2; cut"),
        (row(1, 2, num_context=2), "at least 1 token to learn, got 2 tokens with 2 of context in "),
        (row(), "at least 1 token to learn, got 0 tokens with 1 of context in row 2; add"),
        (row(3, VOCABULARY), "token ids from 0 to 30, got 31 in row 2; use the tokenizer"),
        (row(-1, 3), "token ids from 0 to 30, got -1 in row 2; use the tokenizer"),
    ],
)
def test_a_row_that_cannot_be_learnt_is_named(bad: TokenRow, text: str) -> None:
    good = random_rows([CONTEXT, 2])
    check_rows(good, max_length=CONTEXT, vocabulary=VOCABULARY)
    with pytest.raises(ConfigError, match=text):
        check_rows([*good, bad], max_length=CONTEXT, vocabulary=VOCABULARY)


def test_no_rows_are_refused_and_a_model_without_a_longest_text_takes_any() -> None:
    with pytest.raises(ConfigError, match="at least 1 row to fit, got 0; raise selection"):
        check_rows([], max_length=CONTEXT, vocabulary=VOCABULARY)
    check_rows(random_rows([500]), max_length=None, vocabulary=VOCABULARY)


def test_every_row_comes_once_an_epoch_and_the_last_step_takes_the_rest() -> None:
    order = RowOrder(num_rows=10, batch_size=4, num_epochs=3, seed=1)
    assert order.num_steps == 9
    steps = [order.rows(step).tolist() for step in range(9)]
    assert [len(rows) for rows in steps] == [4, 4, 2] * 3
    epochs = [[row for step in steps[first : first + 3] for row in step] for first in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_the_order_follows_from_the_seed() -> None:
    orders = [RowOrder(50, 50, 1, seed) for seed in (1, 1, 2)]
    first, again, other = (order.rows(0).tolist() for order in orders)
    assert first == again != other


def test_micro_batches_and_shares_hold_the_rows_of_the_step_longest_first() -> None:
    rows = random_rows([3, 9, 2, 9, 5])
    batches = micro_batches(rows, 2)
    assert [batch.ids.shape for batch in batches] == [(2, 9), (2, 5), (1, 2)]
    targets = sum(int((batch.labels != NO_TARGET).sum()) for batch in batches)
    assert targets == sum(one.num_targets for one in rows)
    assert [batch.ids.shape for batch in micro_batches(rows, None)] == [(5, 9)]
    assert micro_batches([], None) == []
    shares = [share_of(rows, rank=rank, number=2) for rank in (0, 1)]
    assert [[len(one.ids) for one in share] for share in shares] == [[9, 5, 2], [9, 3]]
    assert Counter(map(id, shares[0] + shares[1])) == Counter(map(id, rows))


@pytest.mark.parametrize(
    ("num_rows", "size", "each"),
    [(5, 1, 2), (5, 2, 1), (5, None, 1), (7, 2, 2), (3, 1, 1), (1, 4, 1)],
)
def test_every_process_gets_as_many_batches(num_rows: int, size: int | None, each: int) -> None:
    rows = random_rows([4, 7, 7, 3, 9, 2, 5][:num_rows])
    shares = [even_micro_batches(rows, size, rank=rank, number=3) for rank in range(3)]
    assert [len(share) for share in shares] == [each] * 3
    batches = [batch for share in shares for batch in share]
    targets = sum(int((batch.labels != NO_TARGET).sum()) for batch in batches)
    assert targets == sum(one.num_targets for one in rows)
