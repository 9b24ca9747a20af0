"""Several processes fine-tune what one does, up to rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from data.checkpoints import CheckpointFolder
from data.errors import BadNumbers, ConfigError
from data.training_state import STATE
from generators.causal_lm_config import FineTuning
from generators.lm_processes import fine_tune_together
from generators.lm_training import weights_of
from generators.network_fit import Fit
from tests.generators.tiny_lms import FP64, VOCABULARY, random_rows, tiny_gpt2, tiny_qwen2

# The last step of an epoch has one text, so one of two processes has none of it.
LENGTHS = [3, 16, 7, 9, 5]
TUNING = FineTuning(learning_rate=1e-3, batch_size=4, checkpoint_every=2)
BF16 = {"dtype": "bfloat16"}
SHARDED = pytest.mark.parametrize("sharded", [False, True])


def fit(model: Any, processes: int, **given: Any) -> Fit:
    tuning = FineTuning.model_validate(TUNING.model_dump() | given.pop("tuning", {}))
    given = {"precision": FP64} | given
    return fine_tune_together(
        model, random_rows(LENGTHS), tuning, seed=5, processes=processes, **given
    )


# Each of the processes imports torch and transformers, which takes several seconds.
@pytest.mark.slow
@SHARDED
@pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])
def test_two_processes_train_what_one_does(make: Any, sharded: bool) -> None:
    model = make()
    together, alone = fit(model, 2, sharded=sharded), fit(make(), 1)
    np.testing.assert_allclose(together.losses, alone.losses, rtol=1e-6)
    assert together.weights.keys() == alone.weights.keys()
    for name, weight in alone.weights.items():
        torch.testing.assert_close(together.weights[name], weight, rtol=1e-9, atol=1e-9)
        assert torch.equal(weights_of(model)[name], together.weights[name])


@pytest.mark.slow
def test_sharded_micro_batches_with_recomputed_activations_train_what_one_process_does() -> None:
    less_memory = {"micro_batch_size": 1, "gradient_checkpointing": True}
    together, alone = fit(tiny_gpt2(), 2, sharded=True, tuning=less_memory), fit(tiny_gpt2(), 1)
    np.testing.assert_allclose(together.losses, alone.losses, rtol=1e-6)
    for name, weight in alone.weights.items():
        torch.testing.assert_close(together.weights[name], weight, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_sharded_and_whole_copies_round_to_bfloat16_alike() -> None:
    sharded, plain = (fit(tiny_qwen2(), 2, sharded=how, precision=BF16) for how in (True, False))
    np.testing.assert_allclose(sharded.losses, plain.losses, rtol=1e-6)
    exact = fit(tiny_qwen2(), 1)
    assert np.abs(sharded.losses / exact.losses - 1).max() > 1e-5
    for name, weight in plain.weights.items():
        torch.testing.assert_close(sharded.weights[name], weight, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@SHARDED
def test_two_processes_give_the_same_bytes_again_and_after_a_stop(
    tmp_path: Path, sharded: bool
) -> None:
    checkpoints = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    first = fit(tiny_gpt2(dropout=0.2), 2, checkpoints=checkpoints, sharded=sharded)
    found = checkpoints.latest()
    assert found is not None and found[0] == {"step": 2}
    saved = load_file(found[1] / STATE)
    assert saved["weights/transformer.wte.weight"].shape == (VOCABULARY, 16)
    assert saved["optimizer/0/exp_avg"].shape == (VOCABULARY, 16)
    for again in (
        fit(tiny_gpt2(dropout=0.2), 2, sharded=sharded),
        fit(tiny_gpt2(dropout=0.2, seed=4), 2, checkpoints=checkpoints, sharded=sharded),
    ):
        assert again.losses.tobytes() == first.losses.tobytes()
        for name, weight in first.weights.items():
            assert torch.equal(again.weights[name], weight)


@pytest.mark.slow
@SHARDED
def test_bad_numbers_in_processes_are_bad_numbers_here(sharded: bool) -> None:
    wild = {"learning_rate": 1e30, "clip": 1e30, "num_epochs": 5}
    with pytest.raises(BadNumbers, match=r"finite loss and gradient.* in step \d+ of 10"):
        fit(tiny_gpt2(), 2, tuning=wild, sharded=sharded)


def test_bad_rows_are_refused_before_any_process_starts() -> None:
    with pytest.raises(ConfigError, match="got 17 in row 0"):
        fine_tune_together(
            tiny_gpt2(), random_rows([17]), TUNING, precision=FP64, seed=0, processes=2
        )


def test_a_model_that_cannot_be_split_is_refused_before_any_process_starts() -> None:
    model = tiny_gpt2()
    model._no_split_modules = None
    with pytest.raises(ConfigError, match="blocks transformers names"):
        fit(model, 2, sharded=True)
