"""Several processes train what one does, up to rounding."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from data.compute import Compute, computing
from data.errors import BadNumbers, ConfigError, EnvironmentProblem, StageFailed
from generators.cfm_batches import Batch, BatchMaker
from generators.cfm_precision import resolved_precision
from generators.cfm_processes import Job, OneOfSeveral, train_together
from generators.ot_cfm_config import MlpField, OtCfmConfig, Training
from generators.velocity_field import make_field


class Interrupted(BaseException):
    """As a signal of the command line raises."""


def when_started(number: int, act: Callable[[], None]) -> None:
    """Call `act` from another thread once so many processes have been started."""

    def wait() -> None:
        while len(multiprocessing.active_children()) < number:
            time.sleep(0.05)
        time.sleep(0.5)
        act()

    threading.Thread(target=wait, daemon=True).start()


def job(learning_rate: float = 1e-3, clip: float = 1.0, num_steps: int = 5) -> Job:
    config = OtCfmConfig(field=MlpField(width=8, num_hidden=2, time_features=4))
    field = make_field(config.field, (4, 4, 1), seed=0)
    pixels = torch.arange(20 * 16).remainder(256).to(torch.uint8).view(20, 1, 4, 4)
    return Job(
        config,
        (4, 4, 1),
        {name: weight.detach() for name, weight in field.named_parameters()},
        BatchMaker(pixels, 8, flip=False, coupling="assignment", sigma=0.0, seed=3),
        Training(
            num_steps=num_steps, learning_rate=learning_rate, batch_size=8, warm_up=0, clip=clip
        ),
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


def test_an_interruption_leaves_no_process() -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        when_started(2, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        with pytest.raises(Interrupted):
            train_together(job(num_steps=1_000_000), 2)
    finally:
        signal.signal(signal.SIGUSR1, before)
    left = multiprocessing.active_children()
    for process in left:
        process.kill()
    assert left == []


def test_a_process_killed_from_outside_is_a_failed_stage_that_says_what_to_do() -> None:
    when_started(2, lambda: multiprocessing.active_children()[0].kill())
    with pytest.raises(StageFailed, match=r"2 processes to .* but process \d terminated .*SIGKILL"):
        train_together(job(num_steps=1_000_000), 2)
    assert multiprocessing.active_children() == []


def test_shares_are_the_batch() -> None:
    batch = Batch(torch.arange(6.0), torch.arange(6.0) + 10, torch.arange(6.0) + 20)
    parts = [OneOfSeveral(rank, 2).share(batch) for rank in (0, 1)]
    assert sorted(torch.cat([part.times for part in parts]).tolist()) == list(range(6))
    assert all(torch.equal(part.times + 20, part.velocities) for part in parts)


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
