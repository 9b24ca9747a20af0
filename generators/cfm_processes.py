"""Several processes that train one field, one a GPU: each takes a share of every batch.

Every process makes the same batches, which are functions of the seed, and gradients are
averaged, so the result is that of one process up to the order of additions; with dropout, up to
what is dropped. Processes are started here and end with the fit.
"""

import os
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.checkpoints import CheckpointFolder
from data.compute import Compute, compute
from data.errors import BadNumbers, ConfigError, EnvironmentProblem, StageFailed
from data.images import Shape
from generators.cfm_batches import Batch, BatchMaker
from generators.cfm_training import ALONE, Fit, Sharing, train_field
from generators.ot_cfm_config import OtCfmConfig, Training
from generators.velocity_field import make_field

if TYPE_CHECKING:
    import torch
    from torch.multiprocessing.spawn import ProcessContext

RESULT, ERROR = "fit.safetensors", "bad-numbers.txt"


@dataclass(frozen=True)
class Job:
    """All that a process needs to train; it has to be picklable."""

    config: OtCfmConfig
    shape: Shape
    weights: "dict[str, torch.Tensor]"
    batches: BatchMaker
    training: Training
    precision: dict[str, Any]
    checkpoints: CheckpointFolder | None

    def run(self, sharing: Sharing = ALONE) -> Fit:
        """Train here."""
        field = make_field(self.config.field, self.shape, seed=0)
        field.load_state_dict(self.weights, strict=True)
        return train_field(
            field,
            self.batches,
            self.training,
            precision=self.precision,
            checkpoints=self.checkpoints,
            sharing=sharing,
        )


class OneOfSeveral:
    """The share of process `rank` of `number`, joined by accelerate."""

    def __init__(self, rank: int, number: int) -> None:
        self.rank = rank
        self.number = number

    def share(self, batch: Batch) -> Batch:
        """Every `number`-th row of the batch."""
        rows = slice(self.rank, None, self.number)
        return Batch(batch.times[rows], batch.positions[rows], batch.velocities[rows])

    def average(self, tensors: "Sequence[torch.Tensor]") -> None:
        """Replace each tensor by its mean over the processes, in place."""
        from accelerate.utils import reduce

        for tensor in tensors:
            tensor.copy_(reduce(tensor, reduction="mean"))


def train_together(job: Job, number: int) -> Fit:
    """The fit of `job` by `number` processes, on as many GPUs or on the CPU.

    Raises `ConfigError` for a batch that cannot be shared equally, `EnvironmentProblem` where
    there are fewer GPUs, `BadNumbers` as `train_field`, `StageFailed` where a process was ended
    from outside. However this one stops waiting, no process is left behind.
    """
    import torch
    from safetensors.torch import load_file
    from torch.multiprocessing.spawn import (
        ProcessExitedException,
        ProcessRaisedException,
        spawn,
    )

    on, batch_size = compute(), job.batches.batch_size
    if batch_size % number:
        raise ConfigError(
            f"generator.processes: expected a divisor of the batch size {batch_size}, got "
            f"{number}; change one of them, so that shares are equal"
        )
    if on.device != "cpu" and torch.cuda.device_count() < number:
        raise EnvironmentProblem(
            f"generator.processes: expected {number} GPUs, found {torch.cuda.device_count()}; set "
            "it to the number there is"
        )
    with tempfile.TemporaryDirectory(prefix="pluralist-fit-") as folder:
        arguments = (job, number, on, _free_port(), folder)
        # As daemons, so that Python's end ends them too if this is interrupted while they start.
        processes = spawn(  # type: ignore[no-untyped-call]
            _process, arguments, nprocs=number, join=False, daemon=True
        )
        try:
            _wait(processes)
        except ProcessRaisedException:
            if (Path(folder) / ERROR).exists():
                raise BadNumbers((Path(folder) / ERROR).read_text()) from None
            raise
        except ProcessExitedException as error:
            raise StageFailed(
                f"generator.processes: expected {number} processes to train to the end, but "
                f"{error}; if the system ran out of memory, lower batch_size or processes, then "
                "resume"
            ) from error
        weights = load_file(Path(folder) / RESULT)
    losses = weights.pop("losses")
    return Fit(weights, losses.numpy())


def _wait(processes: "ProcessContext") -> None:
    """Until all have ended; raises as torch does for one that failed."""
    try:
        while not processes.join():  # type: ignore[no-untyped-call]
            pass
    except BaseException:
        # Such as a signal: left alone they would train on, and Python would wait for them.
        for process in processes.processes:
            process.kill()
        for process in processes.processes:
            process.join()
        raise


def _process(rank: int, job: Job, number: int, on: Compute, port: int, folder: str) -> None:
    import torch
    from accelerate import PartialState
    from safetensors.torch import save_file

    from data.torch_session import torch_session

    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(number),
        "OMP_NUM_THREADS": str(on.threads),
    }
    state = PartialState(cpu=on.device == "cpu")
    try:
        with torch_session(on):
            fit = job.run(OneOfSeveral(rank, number))
    except BadNumbers as error:
        if rank == 0:
            (Path(folder) / ERROR).write_text(str(error))
        # Losses are averaged, so all processes stop at the same step.
        state.wait_for_everyone()
        raise
    if rank == 0:
        save_file(fit.weights | {"losses": torch.from_numpy(fit.losses)}, Path(folder) / RESULT)
    state.wait_for_everyone()
    state.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
