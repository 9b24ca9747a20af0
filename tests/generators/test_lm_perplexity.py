"""Held-out loss against a loop over the texts, one by one."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import BadNumbers, ConfigError
from generators import lm_perplexity
from generators.lm_loss import summed_cross_entropy
from generators.lm_perplexity import HeldOutLoss, cut_to_windows, held_out_loss
from generators.lm_rows import TokenRow
from tests.generators.tiny_lms import (
    CONTEXT,
    FP32,
    FP64,
    VOCABULARY,
    naive_losses,
    random_rows,
    tiny_gpt2,
    tiny_qwen2,
)

MODELS = pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])


@MODELS
@pytest.mark.parametrize("num_context", [0, 1, 4])
@pytest.mark.parametrize("tokens_at_once", [1, 20, 1024])
def test_it_is_the_mean_of_a_loop_over_the_texts(
    make: Any, num_context: int, tokens_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lm_perplexity, "TOKENS_AT_ONCE", tokens_at_once)
    rows = random_rows([5, 16, 5, 9, 2, 1, 5, 16], num_context=num_context)
    naive = [loss for row in rows for loss in naive_losses(make().double().eval(), row)]
    found = held_out_loss(make(), rows, precision=FP64)
    assert found.num_tokens == len(naive)
    assert found.nats == pytest.approx(math.fsum(naive) / len(naive), rel=1e-9)
    assert found.perplexity == pytest.approx(math.exp(found.nats))
    assert held_out_loss(make(), rows, precision=FP32).nats == pytest.approx(found.nats, rel=1e-5)


def test_a_text_longer_than_the_context_is_predicted_window_by_window() -> None:
    (row,) = random_rows([40], num_context=3)
    model = tiny_gpt2().double().eval()
    naive = []
    for start in (0, 15, 30):
        window = TokenRow(row.ids[start : start + CONTEXT], 3 if start == 0 else 1)
        naive += naive_losses(model, window)
    assert len(naive) == 37
    found = held_out_loss(tiny_gpt2(), [row], precision=FP64)
    assert found.num_tokens == 37
    assert found.nats == pytest.approx(float(np.mean(naive)), rel=1e-9)


@pytest.mark.parametrize("num_context", [0, 1, 5, 15, 16, 17, 31, 39])
@pytest.mark.parametrize("length", [1, 2, 16, 17, 31, 32, 40])
def test_windows_hold_every_target_once(length: int, num_context: int) -> None:
    row = TokenRow(np.arange(length, dtype=np.int32), num_context)
    windows = list(cut_to_windows(row, 16))
    assert all(len(window.ids) <= 16 for window in windows)
    targets = [int(one) for window in windows for one in window.ids[window.first_target :]]
    assert targets == list(range(max(num_context, 1), length))
    whole = list(cut_to_windows(row, None))
    assert [len(one.ids) for one in whole] == ([length] if row.num_targets else [])


def test_nothing_is_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(model: Any, batch: Any, device: str) -> torch.Tensor:
        seen.append(batch.ids)
        return summed_cross_entropy(model, batch, device)

    monkeypatch.setattr(lm_perplexity, "summed_cross_entropy", watched)
    rows = random_rows([5, 16, 5, 9, 5])
    held_out_loss(tiny_gpt2(), rows, precision=FP32)
    assert [tuple(ids.shape) for ids in seen] == [(3, 5), (1, 9), (1, 16)]
    assert sorted(ids.tolist() for ids in seen[0]) == sorted(
        row.ids.tolist() for row in rows if len(row.ids) == 5
    )


@MODELS
def test_a_uniform_model_has_the_vocabulary_as_perplexity(make: Any) -> None:
    model = make()
    torch.nn.init.zeros_(model.get_output_embeddings().weight)
    found = held_out_loss(model, random_rows([9, 4]), precision=FP32)
    assert found.perplexity == pytest.approx(VOCABULARY, rel=1e-5)


def test_dropout_has_no_part_in_it() -> None:
    rows = random_rows([9, 4])
    plain, dropped = tiny_gpt2(), tiny_gpt2(dropout=0.5).train()
    assert held_out_loss(plain, rows, precision=FP32) == held_out_loss(
        dropped, rows, precision=FP32
    )


def test_a_loss_beyond_floats_has_infinite_perplexity() -> None:
    assert HeldOutLoss(nats=800.0, num_tokens=1).perplexity == math.inf


def test_texts_without_a_token_to_predict_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 held-out token to predict, got none in 2"):
        held_out_loss(tiny_gpt2(), random_rows([1, 0]), precision=FP32)


def test_a_model_that_gives_no_number_is_bad_numbers() -> None:
    model = tiny_gpt2()
    torch.nn.init.constant_(model.get_output_embeddings().weight, math.nan)
    with pytest.raises(BadNumbers, match="finite mean loss of 3 held-out tokens, got nan; lower"):
        held_out_loss(model, random_rows([4]), precision=FP32)
