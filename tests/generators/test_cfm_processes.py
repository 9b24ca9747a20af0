"""Several processes train what one does, up to rounding."""

import multiprocessing
import os
import signal
import time
from typing import Any

import numpy as np
import pytest
import torch

from data.compute import Compute, computing
from data.errors import BadNumbers, ConfigError, EnvironmentProblem, StageFailed
from generators import cfm_processes
from generators.cfm_batches import Batch, BatchMaker
from generators.cfm_precision import resolved_precision
from generators.cfm_processes import Job, OneOfSeveral, train_together
from generators.ot_cfm_config import MlpField, OtCfmConfig, Training
from generators.velocity_field import make_field


def job(learning_rate: float = 1e-3, clip: float = 1.0) -> Job:
    config = OtCfmConfig(field=MlpField(width=8, num_hidden=2, time_features=4))
    field = make_field(config.field, (4, 4, 1), seed=0)
    pixels = torch.arange(20 * 16).remainder(256).to(torch.uint8).view(20, 1, 4, 4)
    return Job(
        config,
        (4, 4, 1),
        {name: weight.detach() for name, weight in field.named_parameters()},
        BatchMaker(pixels, 8, flip=False, coupling="assignment", sigma=0.0, seed=3),
        Training(num_steps=5, learning_rate=learning_rate, batch_size=8, warm_up=0, clip=clip),
        resolved_precision(config, "cpu"),
        None,
    )


# Each of the processes imports torch and accelerate, which takes several seconds.
@pytest.mark.slow
def test_two_processes_train_what_one_does() -> None:
    together, alone = train_together(job(), 2), job().run()
    np.testing.assert_allclose(together.losses, alone.losses, rtol=1e-5)
    for name, weight in alone.weights.items():
        torch.testing.assert_close(together.weights[name], weight, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_bad_numbers_in_processes_are_bad_numbers_here() -> None:
    with pytest.raises(BadNumbers, match=r"finite loss and gradient.* in step \d of 5"):
        train_together(job(learning_rate=1e30, clip=1e30), 2)


class Interrupted(BaseException):
    """A signal has come."""


def waiting(_rank: int, *_arguments: Any) -> None:
    time.sleep(600)


def dying(rank: int, *_arguments: Any) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    waiting(rank)


def losing_the_other(rank: int, *_arguments: Any) -> None:
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError("Connection closed by peer")


# From the start of the first process to the wait for all of them.
@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.3, 4.0])
def test_an_interruption_leaves_no_process(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr(cfm_processes, "_process", waiting)
    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(Interrupted):
            train_together(job(), 2)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
@pytest.mark.parametrize("process", [dying, losing_the_other])
def test_a_killed_process_is_a_failed_stage(monkeypatch: pytest.MonkeyPatch, process: Any) -> None:
    monkeypatch.setattr(cfm_processes, "_process", process)
    text = "expected 2 processes .*, but process 1 terminated with signal SIGKILL, .*; lower"
    with pytest.raises(StageFailed, match=text):
        train_together(job(), 2)
    assert multiprocessing.active_children() == []


def test_shares_are_the_batch() -> None:
    batch = Batch(torch.arange(6.0), torch.arange(6.0) + 10, torch.arange(6.0) + 20)
    parts = [OneOfSeveral(rank, 2).share(batch) for rank in (0, 1)]
    assert sorted(torch.cat([part.times for part in parts]).tolist()) == list(range(6))
    assert all(torch.equal(part.times + 20, part.velocities) for part in parts)


def test_all_tensors_are_averaged_in_one_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    exchanged = []

    def reduce(tensor: torch.Tensor, *, reduction: str) -> torch.Tensor:
        assert reduction == "mean"
        exchanged.append(tensor.numel())
        return tensor + 1

    monkeypatch.setattr("accelerate.utils.reduce", reduce)
    layout = torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last)
    tensors = [torch.tensor(5.0), layout.clone(), torch.arange(3.0)]
    OneOfSeveral(0, 2).average(tensors)
    assert exchanged == [28]
    for tensor, before in zip(tensors, [torch.tensor(5.0), layout, torch.arange(3.0)], strict=True):
        assert torch.equal(tensor, before + 1)


def test_more_processes_than_gpus_are_refused() -> None:
    if torch.cuda.device_count() >= 8:
        pytest.skip("has as many GPUs")
    with (
        computing(Compute(device="cuda")),
        pytest.raises(EnvironmentProblem, match=r"processes: expected 8 GPUs, found \d+; set"),
    ):
        train_together(job(), 8)


def test_a_batch_that_cannot_be_shared_equally_is_refused() -> None:
    with pytest.raises(ConfigError, match="a divisor of the batch size 8, got 3; change one"):
        train_together(job(), 3)
