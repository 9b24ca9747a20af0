"""The training loop: stop and resume, NaN, and what it leaves as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.checkpoints import CheckpointFolder
from data.errors import BadNumbers
from generators.cfm_batches import BatchMaker
from generators.cfm_precision import resolved_precision
from generators.cfm_training import train_field
from generators.network_fit import Fit, StepLog
from generators.ot_cfm_config import MlpField, OtCfmConfig, Switch, Training, UNetField
from generators.velocity_field import make_field
from tests.generators.fits import assert_same

MLP = MlpField(width=8, num_hidden=2, time_features=4)
UNET = UNetField(
    channels=32,
    num_res_blocks=1,
    channel_mult=(1, 1),
    num_head_channels=16,
    attention_resolutions=(8,),
    dropout=0.5,
)
STEPS = Training(
    num_steps=7, learning_rate=1e-2, batch_size=4, warm_up=3, average_decay=0.9, checkpoint_every=3
)


class Killed(Exception):
    """Stands for the end of the process."""


class FolderOfAShortLife(CheckpointFolder):
    """Kills the process right after its checkpoint number `last` is committed."""

    def __init__(self, path: Path, *, last: int) -> None:
        super().__init__(path, fingerprint="f" * 64)
        self.left = last

    def commit(self, position: dict[str, Any], write: Callable[[Path], None]) -> None:
        super().commit(position, write)
        self.left -= 1
        if self.left == 0:
            raise Killed


def batches(**given: Any) -> BatchMaker:
    pixels = torch.randint(
        256, (10, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    settings: dict[str, Any] = {"flip": True, "coupling": "assignment", "sigma": 0.0, "seed": 5}
    return BatchMaker(pixels, 4, **(settings | given))


def fit(
    field: MlpField | UNetField = MLP,
    training: Training = STEPS,
    checkpoints: CheckpointFolder | None = None,
    channels_last: Switch = "auto",
    **given: Any,
) -> Fit:
    config = OtCfmConfig(field=field, channels_last=channels_last)
    return train_field(
        make_field(field, (8, 8, 1), seed=1),
        batches(**given),
        training,
        precision=resolved_precision(config, "cpu"),
        checkpoints=checkpoints,
    )


@pytest.mark.parametrize("last", [1, 2])
@pytest.mark.parametrize(
    ("field", "channels_last", "coupling"),
    [
        (MLP, "auto", "assignment"),
        (MLP, "auto", "torchcfm"),
        (UNET, "auto", "assignment"),
        (UNET, "on", "assignment"),
    ],
)
def test_a_resumed_fit_equals_one_without_a_stop(
    field: MlpField | UNetField, channels_last: Switch, coupling: str, last: int, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"channels_last": channels_last, "coupling": coupling}
    whole = fit(field, **given)
    with pytest.raises(Killed):
        fit(field, checkpoints=FolderOfAShortLife(tmp_path, last=last), **given)
    again = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    found = again.latest()
    assert found is not None and found[0] == {"step": 3 * last}
    # Other numbers of global generators must not matter.
    torch.manual_seed(last)
    assert_same(fit(field, checkpoints=again, **given), whole)


def test_a_fit_without_interruption_is_the_same_with_and_without_checkpoints(
    tmp_path: Path,
) -> None:
    assert_same(fit(checkpoints=CheckpointFolder(tmp_path, fingerprint="f" * 64)), fit())


def test_dropout_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    assert_same(fit(UNET), fit(UNET))
    assert torch.equal(before, torch.get_rng_state())
    without = UNET.model_copy(update={"dropout": 0.0})
    # The last layer starts at 0, so the first losses do not see the dropout.
    assert not np.array_equal(fit(UNET).losses, fit(without).losses)


def test_the_loss_is_the_mean_squared_error_of_the_velocity() -> None:
    batch, field = batches().make(0), make_field(MLP, (8, 8, 1), seed=1)
    with torch.no_grad():
        answer = field(batch.times, batch.positions)
    naive = float((answer - batch.velocities).double().square().mean())
    assert fit().losses[0] == pytest.approx(naive, rel=1e-6)


def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = BatchMaker.make

    def poisoned(self: BatchMaker, step: int) -> Any:
        batch = plain(self, step)
        if step == 5:
            batch.velocities[0, 0, 0, 0] = float("nan")
        return batch

    monkeypatch.setattr(BatchMaker, "make", poisoned)
    folder = CheckpointFolder(tmp_path, fingerprint="f" * 64)
    with pytest.raises(BadNumbers, match=r"finite loss and gradient, got nan .* in step 5 of 7"):
        fit(checkpoints=folder)
    found = folder.latest()
    assert found is not None and found[0] == {"step": 3}


def test_losses_are_looked_at_before_a_checkpoint_and_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generators import cfm_training

    looked: list[int] = []
    monkeypatch.setattr(StepLog, "look", lambda _self, done: looked.append(done))
    monkeypatch.setattr(cfm_training._State, "write", lambda _self, folder: (folder / "x").touch())
    fit(checkpoints=CheckpointFolder(tmp_path, fingerprint="f" * 64))
    assert looked == [1, 2, 3, 4, 5, 6, 7, 7]


def test_an_overflow_of_the_gradient_names_the_step() -> None:
    wild = Training(num_steps=50, learning_rate=1e30, batch_size=4, warm_up=0, clip=1e30)
    with pytest.raises(BadNumbers, match=r"in step \d+ of 50; lower learning_rate"):
        fit(training=wild)
