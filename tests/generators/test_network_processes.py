"""Processes that train together: what they exchange, and how they end."""

import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from data.compute import Compute, computing
from data.errors import BadNumbers, EnvironmentProblem, PluralistError, StageFailed
from generators import network_processes
from generators.network_fit import Fit, Sharing
from generators.network_processes import OneOfSeveral, run_together

ADVICE = "lower something"


@dataclass(frozen=True)
class Ranks:
    """Gives the mean of all ranks."""

    def run(self, sharing: Sharing) -> Fit:
        rank = torch.tensor([float(sharing.rank)])
        sharing.average([rank])
        return Fit({"mean": rank}, np.full(2, float(sharing.number)))


@dataclass(frozen=True)
class Failing:
    """The last process fails while the others wait for it."""

    error: PluralistError

    def run(self, sharing: Sharing) -> Fit:
        if sharing.rank == sharing.number - 1:
            raise self.error
        return Ranks().run(sharing)


# Each of the processes imports torch and accelerate, which takes several seconds.
@pytest.mark.slow
def test_processes_average_and_the_first_gives_the_fit() -> None:
    fit = run_together(Ranks(), 2, less_memory=ADVICE)
    assert fit.weights["mean"].tolist() == [0.5]
    assert fit.losses.tolist() == [2.0, 2.0]


@pytest.mark.slow
@pytest.mark.parametrize("error", [BadNumbers("expected\nthis"), StageFailed("no memory")])
def test_an_error_of_one_process_is_the_error_here(error: PluralistError) -> None:
    with pytest.raises(type(error), match=f"^{error}$"):
        run_together(Failing(error), 2, less_memory=ADVICE)


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

    monkeypatch.setattr(network_processes, "_process", waiting)
    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(Interrupted):
            run_together(Ranks(), 2, less_memory=ADVICE)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
@pytest.mark.parametrize("process", [dying, losing_the_other])
def test_a_killed_process_is_a_failed_stage(monkeypatch: pytest.MonkeyPatch, process: Any) -> None:
    monkeypatch.setattr(network_processes, "_process", process)
    text = (
        "expected 2 processes .*, but process 1 terminated with signal SIGKILL, .*; lower "
        "something, then resume"
    )
    with pytest.raises(StageFailed, match=text):
        run_together(Ranks(), 2, less_memory=ADVICE)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(("most", "sizes"), [(28, [28]), (27, [25, 3]), (3, [1, 24, 3])])
def test_tensors_are_averaged_in_few_exchanges(
    monkeypatch: pytest.MonkeyPatch, most: int, sizes: list[int]
) -> None:
    exchanged = []

    def reduce(tensor: torch.Tensor, *, reduction: str) -> torch.Tensor:
        assert reduction == "mean"
        exchanged.append(tensor.numel())
        return tensor + 1

    monkeypatch.setattr("accelerate.utils.reduce", reduce)
    monkeypatch.setattr(network_processes, "NUMBERS_PER_EXCHANGE", most)
    layout = torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last)
    tensors = [torch.tensor(5.0), layout.clone(), torch.arange(3.0)]
    OneOfSeveral(0, 2).average(tensors)
    assert exchanged == sizes
    for tensor, before in zip(tensors, [torch.tensor(5.0), layout, torch.arange(3.0)], strict=True):
        assert torch.equal(tensor, before + 1)


def test_more_processes_than_gpus_are_refused() -> None:
    if torch.cuda.device_count() >= 8:
        pytest.skip("has as many GPUs")
    with (
        computing(Compute(device="cuda")),
        pytest.raises(EnvironmentProblem, match=r"processes: expected 8 GPUs, found \d+; set"),
    ):
        run_together(Ranks(), 8, less_memory=ADVICE)
