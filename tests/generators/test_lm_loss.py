"""Cross entropy at the targets: a naive loop, a uniform model, what has no part in it."""

import math
from typing import Any

import pytest
import torch

from generators.lm_loss import summed_cross_entropy
from generators.lm_rows import NO_TARGET, TokenBatch
from tests.generators.tiny_lms import (
    VOCABULARY,
    naive_losses,
    random_rows,
    tiny_gpt2,
    tiny_qwen2,
)

MODELS = pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])


def loss_of(model: Any, batch: TokenBatch) -> torch.Tensor:
    return summed_cross_entropy(model, batch, "cpu")


def value_of(model: Any, batch: TokenBatch) -> float:
    return float(loss_of(model, batch).detach())


@MODELS
@pytest.mark.parametrize("num_context", [0, 1, 3])
def test_it_is_that_of_each_text_by_itself(make: Any, num_context: int) -> None:
    model = make().double().eval()
    rows = random_rows([5, 16, 4, 9], num_context=num_context)
    naive = math.fsum(math.fsum(naive_losses(model, row)) for row in rows)
    assert value_of(model, TokenBatch.of(rows)) == pytest.approx(naive, rel=1e-12)


@MODELS
def test_a_mask_and_positions_would_change_nothing(make: Any) -> None:
    model = make().double().eval()
    batch = TokenBatch.of(random_rows([5, 16, 4, 9]))
    lengths = torch.tensor([5, 16, 4, 9])[:, None]
    positions = torch.arange(16).expand(4, 16)
    with torch.no_grad():
        masked = model(
            input_ids=batch.ids,
            attention_mask=(positions < lengths).long(),
            position_ids=positions,
            labels=batch.labels,
        ).loss
    targets = int((batch.labels != NO_TARGET).sum())
    assert value_of(model, batch) / targets == pytest.approx(float(masked), rel=1e-6)


@MODELS
def test_a_uniform_model_has_the_logarithm_of_the_vocabulary(make: Any) -> None:
    model = make()
    torch.nn.init.zeros_(model.get_output_embeddings().weight)
    rows = random_rows([7, 12])
    loss = value_of(model, TokenBatch.of(rows)) / sum(row.num_targets for row in rows)
    assert loss == pytest.approx(math.log(VOCABULARY), rel=1e-6)


def test_neither_context_nor_padding_is_learnt() -> None:
    model = tiny_qwen2()
    logits: list[torch.Tensor] = []
    model.get_output_embeddings().register_forward_hook(
        lambda _layer, _given, out: logits.append(out)
    )
    batch = TokenBatch.of(random_rows([8, 5], num_context=4))
    loss_of(model, batch).backward()  # type: ignore[no-untyped-call]
    # The head is asked behind the last token of the context and then for each but the last.
    assert logits[0].shape == (4 + 1, VOCABULARY)
    model.zero_grad()
    other = TokenBatch(batch.ids.clone(), torch.full_like(batch.labels, NO_TARGET))
    loss = loss_of(model, other)
    assert loss.item() == 0.0
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert all(float(gradient.abs().max()) == 0.0 for gradient in gradients)


def test_what_the_padding_holds_does_not_matter() -> None:
    model = tiny_gpt2().eval()
    batch = TokenBatch.of(random_rows([8, 5]))
    changed = TokenBatch(batch.ids.clone(), batch.labels)
    changed.ids[1, 5:] = 17
    assert torch.equal(loss_of(model, batch), loss_of(model, changed))


def test_a_model_that_does_not_tell_its_head_gives_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, batch = tiny_gpt2().double().eval(), TokenBatch.of(random_rows([8, 5]))
    known = value_of(model, batch)
    monkeypatch.setattr(model, "get_output_embeddings", lambda: None)
    assert value_of(model, batch) == pytest.approx(known, rel=1e-12)


def test_the_head_is_left_as_it_was() -> None:
    model, batch = tiny_gpt2(), TokenBatch.of(random_rows([8, 5]))
    loss_of(model, batch)
    assert model(input_ids=batch.ids).logits.shape == (2, 8, VOCABULARY)


def test_half_precision_is_summed_in_single() -> None:
    model, batch = tiny_gpt2(), TokenBatch.of(random_rows([8, 5]))
    with torch.autocast("cpu", torch.bfloat16):
        lower = loss_of(model, batch)
    assert lower.dtype == torch.float32
    assert lower.item() == pytest.approx(value_of(model, batch), rel=1e-2)
