"""The training loop: accumulation, stop and resume, what is learnt, what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data import failpoints
from data.checkpoints import CheckpointFolder
from data.errors import BadNumbers, ConfigError, StageFailed
from generators import lm_training
from generators.causal_lm_config import FineTuning
from generators.lm_loss import summed_cross_entropy
from generators.lm_rows import RowOrder, TokenRow
from generators.lm_training import fine_tune, set_weights, weights_of
from generators.network_fit import Fit
from tests.generators.fits import assert_same
from tests.generators.tiny_lms import (
    FP32,
    FP64,
    naive_losses,
    random_rows,
    tiny_gpt2,
    tiny_qwen2,
)

MODELS = pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])
LENGTHS = [3, 16, 7, 9, 5, 4, 12, 6, 8, 2]  # 3 steps of 4, 4 and 2 texts an epoch
TUNING = FineTuning(learning_rate=1e-2, batch_size=4, checkpoint_every=2)


class Killed(Exception):
    """Stands for the end of the process."""


@contextmanager
def power_cut_after_checkpoint(number: int) -> Iterator[None]:
    """Raise `Killed` once checkpoint `number` (from 0) is committed."""

    def cut(operation: str, path: Path) -> None:
        if operation == "after link" and path.parent.name == f"{number:06d}":
            raise Killed

    failpoints.install(cut)
    try:
        with pytest.raises(Killed):
            yield
    finally:
        failpoints.install(None)


def fit(
    model: Any = None,
    tuning: FineTuning = TUNING,
    checkpoints: CheckpointFolder | None = None,
    precision: dict[str, str] = FP32,
    lengths: list[int] = LENGTHS,
) -> Fit:
    return fine_tune(
        tiny_gpt2() if model is None else model,
        random_rows(lengths),
        tuning,
        precision=precision,
        seed=5,
        checkpoints=checkpoints,
    )


def tuned(**given: Any) -> FineTuning:
    return FineTuning.model_validate(TUNING.model_dump() | given)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("dropout", "given"),
    [
        (0.0, {}),
        (0.3, {"micro_batch_size": 2, "schedule": "cosine", "warm_up": 1}),
        (0.3, {"gradient_checkpointing": True}),
    ],
)
def test_a_resumed_fit_equals_one_without_a_stop(
    dropout: float, given: dict[str, Any], number: int, tmp_path: Path
) -> None:
    tuning = tuned(**given)
    whole = fit(tiny_gpt2(dropout=dropout), tuning)
    assert len(whole.losses) == 6
    checkpoints = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    with power_cut_after_checkpoint(number):
        fit(tiny_gpt2(dropout=dropout), tuning, checkpoints)
    found = checkpoints.latest()
    assert found is not None and found[0] == {"step": 2 * (number + 1)}
    # Neither other numbers of global generators nor other weights to begin with must matter.
    torch.manual_seed(number)
    other = tiny_gpt2(dropout=dropout, seed=9)
    assert_same(fit(other, tuning, checkpoints), whole)


def test_checkpoints_and_computing_again_change_nothing(tmp_path: Path) -> None:
    whole = fit(tiny_gpt2(dropout=0.3))
    checkpoints = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    assert_same(fit(tiny_gpt2(dropout=0.3), checkpoints=checkpoints), whole)
    again = fit(tiny_gpt2(dropout=0.3), tuned(gradient_checkpointing=True))
    np.testing.assert_allclose(again.losses, whole.losses, rtol=1e-6)


@MODELS
def test_the_first_loss_is_the_mean_over_all_targets_of_the_step(make: Any) -> None:
    rows = random_rows(LENGTHS)
    chosen = RowOrder(len(rows), 4, 2, seed=5).rows(0)
    naive = np.concatenate([naive_losses(make().eval(), rows[index]) for index in chosen])
    assert fit(make()).losses[0] == pytest.approx(naive.mean(), rel=1e-6)


@MODELS
def test_one_text_at_once_and_all_at_once_are_the_same_training(make: Any) -> None:
    at_once, one_by_one = fit(make()), fit(make(), tuned(micro_batch_size=1))
    np.testing.assert_allclose(one_by_one.losses, at_once.losses, rtol=1e-5)
    # Before a step was taken there is but the rounding of a sum.
    np.testing.assert_allclose(one_by_one.losses[0], at_once.losses[0], rtol=1e-6)
    exact, exact_too = (
        fit(make(), tuned(micro_batch_size=size), precision=FP64) for size in (1, None)
    )
    np.testing.assert_allclose(exact.losses, exact_too.losses, rtol=1e-6)
    for name, weight in exact.weights.items():
        torch.testing.assert_close(weight, exact_too.weights[name], rtol=1e-9, atol=1e-9)


@MODELS
@pytest.mark.parametrize("size", [1, 3])
def test_gradients_add_up_to_those_of_the_whole_step(
    make: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[torch.Tensor]] = []
    plain = lm_training._State.gradients

    def watched(self: Any) -> list[torch.Tensor]:
        gradients = plain(self)
        seen.append([gradient.clone() for gradient in gradients])
        return gradients

    monkeypatch.setattr(lm_training._State, "gradients", watched)
    for micro_batch_size in (None, size):
        given = {"batch_size": 10, "num_epochs": 1, "micro_batch_size": micro_batch_size}
        fit(make(), tuned(**given))
    for whole, added in zip(*seen, strict=True):
        torch.testing.assert_close(added, whole, rtol=1e-5, atol=1e-7)


def test_a_step_is_that_of_a_bare_loop() -> None:
    rows = random_rows(LENGTHS)
    bare = tiny_gpt2().double()
    decayed = [weight for weight in bare.parameters() if weight.dim() >= 2]
    others = [weight for weight in bare.parameters() if weight.dim() < 2]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-2, weight_decay=0.01)
    losses = []
    order = RowOrder(len(rows), 4, 2, seed=5)
    for step in range(order.num_steps):
        chosen = [rows[index] for index in order.rows(step)]
        parts = []
        for row in chosen:
            ids = torch.tensor(row.ids, dtype=torch.int64)[None]
            logits = bare(input_ids=ids).logits[0, :-1]
            parts.append(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum"))
        loss = torch.stack(parts).sum() / sum(len(row.ids) - 1 for row in chosen)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(bare.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    ours = fit(precision=FP64)
    np.testing.assert_allclose(ours.losses, losses, rtol=1e-6)
    for name, weight in bare.named_parameters():
        torch.testing.assert_close(ours.weights[name], weight.detach(), rtol=1e-9, atol=1e-9)


def test_the_end_of_a_text_is_learnt_and_padding_is_not() -> None:
    end = 0
    long, short = [end, 3, 4, 5, 6, 7, 8, 9, 10, 11, end], [end, 12, end]
    rows = [TokenRow(np.array(ids, np.int32), 1) for ids in (long, short)] * 8
    model = tiny_gpt2()
    tuning = FineTuning(num_epochs=40, learning_rate=1e-2, batch_size=16)
    fine_tune(model, rows, tuning, precision=FP32, seed=0)

    def probability_of_the_end(ids: list[int]) -> float:
        with torch.no_grad():
            logits = model.eval()(input_ids=torch.tensor([ids])).logits[0, -1]
        return float(torch.softmax(logits, 0)[end])

    assert probability_of_the_end(long[:-1]) > 0.9
    assert probability_of_the_end(short[:-1]) > 0.9
    assert probability_of_the_end([end]) < 0.05
    assert probability_of_the_end(long[:5]) < 0.05


def test_dropout_follows_from_the_seed_and_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    assert_same(fit(tiny_gpt2(dropout=0.3)), fit(tiny_gpt2(dropout=0.3)))
    assert torch.equal(before, torch.get_rng_state())
    assert not np.array_equal(fit(tiny_gpt2(dropout=0.3)).losses, fit().losses)


def test_bfloat16_products_train_weights_in_single_precision() -> None:
    lower, single = fit(precision={"dtype": "bfloat16"}), fit()
    assert {weight.dtype for weight in lower.weights.values()} == {torch.float32}
    np.testing.assert_allclose(lower.losses, single.losses, rtol=2e-2)
    assert not np.array_equal(lower.losses, single.losses)


def test_weights_are_the_models_and_can_be_put_into_another() -> None:
    model, other = tiny_gpt2(), tiny_gpt2(seed=3)
    result = fit(model)
    assert "lm_head.weight" not in result.weights  # tied to the embedding
    set_weights(other, result.weights)
    for name, weight in weights_of(other).items():
        assert torch.equal(weight, weights_of(model)[name])
    assert torch.equal(other.lm_head.weight, model.transformer.wte.weight)


def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def poisoned(*given: Any) -> torch.Tensor:
        calls.append(given)
        return summed_cross_entropy(*given) * (float("nan") if len(calls) == 4 else 1.0)

    monkeypatch.setattr(lm_training, "summed_cross_entropy", poisoned)
    folder = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    text = r"generator causal-lm: expected a finite loss and gradient, got nan .* in step 3 of 6"
    with pytest.raises(BadNumbers, match=text):
        fit(checkpoints=folder)
    found = folder.latest()
    assert found is not None and found[0] == {"step": 2}


def test_an_overflow_of_the_gradient_names_the_step() -> None:
    wild = tuned(learning_rate=1e30, clip=1e30, num_epochs=5)
    with pytest.raises(BadNumbers, match=r"in step \d+ of 15; lower learning_rate"):
        fit(tuning=wild)


def test_memory_that_does_not_suffice_is_a_failed_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_given: Any) -> torch.Tensor:
        return torch.empty(2**50)

    monkeypatch.setattr(lm_training, "summed_cross_entropy", greedy)
    text = r"with 4 texts at once .* lower generator.refit.micro_batch_size"
    with pytest.raises(StageFailed, match=text):
        fit()


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        ([4, 17], "at most 16 tokens, the model's context, got 17 in row 1"),
        ([], "at least 1 row to fit, got 0"),
    ],
)
def test_rows_the_model_cannot_take_are_refused(lengths: list[int], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        fit(lengths=lengths)
