"""Several processes that train one network, one a GPU, joined by accelerate.

Each takes a share of every step, and gradients are averaged, so the result is that of one process
up to the order of additions; with dropout, up to what is dropped. Processes are started here and
end with the fit, however it ends.
"""

import multiprocessing
import os
import signal
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from data.compute import Compute, compute
from data.errors import (
    BadNumbers,
    ConfigError,
    EnvironmentProblem,
    PluralistError,
    StageFailed,
)
from generators.network_fit import Fit, Sharing

if TYPE_CHECKING:
    import torch

RESULT, ERROR = "fit.safetensors", "error-{rank}.txt"
TOLD = (BadNumbers, ConfigError, EnvironmentProblem, StageFailed)
_KINDS = {kind.__name__: kind for kind in TOLD}
KILLED = {-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGBUS}
# An exchange copies what it exchanges: 256 MB in single precision, not a whole large model.
NUMBERS_PER_EXCHANGE = 2**26


class Job(Protocol):
    """All that a process needs to train; it has to be picklable."""

    def run(self, sharing: Sharing) -> Fit:
        """Train here, the share that `sharing` says."""
        ...


class OneOfSeveral:
    """The share of process `rank` of `number`."""

    def __init__(self, rank: int, number: int) -> None:
        self.rank = rank
        self.number = number

    def average(self, tensors: "Sequence[torch.Tensor]") -> None:
        """Replace each tensor by its mean over the processes, in place."""
        import torch
        from accelerate.utils import reduce

        # Not one by one: each exchange has a cost of its own, and there are hundreds of tensors.
        for some in _together(tensors):
            sizes = [tensor.numel() for tensor in some]
            joined = torch.cat([tensor.reshape(-1) for tensor in some])
            means = reduce(joined, reduction="mean").split(sizes)
            for tensor, mean in zip(some, means, strict=True):
                tensor.copy_(mean.view(tensor.shape))


def _together(tensors: "Sequence[torch.Tensor]") -> "list[list[torch.Tensor]]":
    """The tensors in their order, as many in a list as one exchange takes."""
    lists: list[list[torch.Tensor]] = [[]]
    numbers = 0
    for tensor in tensors:
        if lists[-1] and numbers + tensor.numel() > NUMBERS_PER_EXCHANGE:
            lists.append([])
            numbers = 0
        lists[-1].append(tensor)
        numbers += tensor.numel()
    return lists


def run_together(job: Job, number: int, *, less_memory: str) -> Fit:
    """The fit of `job` by `number` processes, on as many GPUs or on the CPU.

    `less_memory` names what to change where a process is killed. Raises `EnvironmentProblem`
    where there are fewer GPUs, `StageFailed` where a process is killed, and what `job.run` raises
    of the errors meant for users.
    """
    import torch
    from safetensors.torch import load_file

    on = compute()
    if on.device != "cpu" and torch.cuda.device_count() < number:
        raise EnvironmentProblem(
            f"generator.processes: expected {number} GPUs, found {torch.cuda.device_count()}; set "
            "it to the number there is"
        )
    with tempfile.TemporaryDirectory(prefix="pluralist-fit-") as folder:
        _run_all((job, number, on, _free_port(), folder), number, Path(folder), less_memory)
        weights = load_file(Path(folder) / RESULT)
    losses = weights.pop("losses")
    return Fit(weights, losses.numpy())


def _run_all(arguments: tuple[Any, ...], number: int, folder: Path, less_memory: str) -> None:
    """Run `_process` as `number` processes; none of them is left when this returns or raises."""
    from torch.multiprocessing.spawn import (
        ProcessExitedException,
        ProcessRaisedException,
        spawn,
    )

    # Not by what `spawn` returns: a signal may come while it still starts them.
    before = set(multiprocessing.active_children())
    try:
        started = spawn(_process, arguments, nprocs=number, join=False)  # type: ignore[no-untyped-call]
        while not started.join():
            pass
    except ProcessExitedException as error:
        raise _killed(number, str(error), less_memory) from None
    except ProcessRaisedException:
        # The others only lose the connection to one that fails or is killed, but may be seen first.
        for rank in range(number):
            if (text := folder / ERROR.format(rank=rank)).exists():
                name, _, message = text.read_text().partition("\n")
                raise _KINDS[name](message) from None
        for rank, process in enumerate(started.processes):
            if process.exitcode in KILLED:
                name = signal.Signals(-process.exitcode).name
                ending = f"process {rank} terminated with signal {name}"
                raise _killed(number, ending, less_memory) from None
        raise
    finally:
        mine = set(multiprocessing.active_children()) - before
        for process in mine:
            process.kill()
        for process in mine:
            process.join()


def _killed(number: int, ending: str, less_memory: str) -> StageFailed:
    return StageFailed(
        f"generator.processes: expected {number} processes to train to the end, but {ending}, "
        f"which a lack of memory would explain; {less_memory}, then resume: checkpoints are kept"
    )


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
    except TOLD as error:
        _tell(error, Path(folder) / ERROR.format(rank=rank))
        raise
    if rank == 0:
        save_file(fit.weights | {"losses": torch.from_numpy(fit.losses)}, Path(folder) / RESULT)
    state.wait_for_everyone()
    state.destroy_process_group()


def _tell(error: PluralistError, path: Path) -> None:
    """Write an error whole or not at all: whoever reads it may end this process at any time."""
    part = path.with_suffix(".part")
    part.write_text(f"{type(error).__name__}\n{error}")
    part.rename(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
