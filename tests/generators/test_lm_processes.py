"""Several processes fine-tune what one does, up to rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.checkpoints import CheckpointFolder
from data.errors import BadNumbers, ConfigError
from generators.causal_lm_config import FineTuning
from generators.lm_processes import fine_tune_together
from generators.lm_training import weights_of
from generators.network_fit import Fit
from tests.generators.tiny_lms import FP64, random_rows, tiny_gpt2, tiny_qwen2

# The last step of an epoch has one text, so one of two processes has none of it.
LENGTHS = [3, 16, 7, 9, 5]
TUNING = FineTuning(learning_rate=1e-3, batch_size=4, checkpoint_every=2)


def fit(model: Any, processes: int, **given: Any) -> Fit:
    tuning = FineTuning.model_validate(TUNING.model_dump() | given.pop("tuning", {}))
    return fine_tune_together(
        model, random_rows(LENGTHS), tuning, precision=FP64, seed=5, processes=processes, **given
    )


# Each of the processes imports torch and transformers, which takes several seconds.
@pytest.mark.slow
@pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])
def test_two_processes_train_what_one_does(make: Any) -> None:
    model = make()
    together, alone = fit(model, 2), fit(make(), 1)
    np.testing.assert_allclose(together.losses, alone.losses, rtol=1e-6)
    assert together.weights.keys() == alone.weights.keys()
    for name, weight in alone.weights.items():
        torch.testing.assert_close(together.weights[name], weight, rtol=1e-9, atol=1e-9)
        assert torch.equal(weights_of(model)[name], together.weights[name])


@pytest.mark.slow
def test_two_processes_give_the_same_bytes_again_and_after_a_stop(tmp_path: Path) -> None:
    checkpoints = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    first = fit(tiny_gpt2(dropout=0.2), 2, checkpoints=checkpoints)
    assert checkpoints.latest() is not None
    for again in (
        fit(tiny_gpt2(dropout=0.2), 2),
        fit(tiny_gpt2(dropout=0.2, seed=4), 2, checkpoints=checkpoints),
    ):
        assert again.losses.tobytes() == first.losses.tobytes()
        for name, weight in first.weights.items():
            assert torch.equal(again.weights[name], weight)


@pytest.mark.slow
def test_bad_numbers_in_processes_are_bad_numbers_here() -> None:
    wild = {"learning_rate": 1e30, "clip": 1e30, "num_epochs": 5}
    with pytest.raises(BadNumbers, match=r"finite loss and gradient.* in step \d+ of 10"):
        fit(tiny_gpt2(), 2, tuning=wild)


def test_bad_rows_are_refused_before_any_process_starts() -> None:
    with pytest.raises(ConfigError, match="got 17 in row 0"):
        fine_tune_together(
            tiny_gpt2(), random_rows([17]), TUNING, precision=FP64, seed=0, processes=2
        )
