"""torch's process-wide switches, set for one stage and put back afterwards.

torch is imported inside the functions: domains without it never wait for it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from data.compute import Compute, computing
from data.errors import EnvironmentProblem, StageFailed
from data.float_precision import tf32
from data.installation import INSTALL

# What torch says in a plain RuntimeError where memory is asked in vain: the CPU's by its allocator,
# a GPU's by CUDA itself and by cuBLAS, which do not go through torch's.
REFUSALS = (
    "can't allocate memory",
    "not enough memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def check_torch() -> None:
    """Raise `EnvironmentProblem` unless torch can be imported.

    It may be installed and yet not load, such as a build for another platform.
    """
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        raise EnvironmentProblem(
            f"torch: expected it to be importable, got: {error}; run `{INSTALL}`"
        ) from error


def check_device(device: str) -> str:
    """Model name of `device` ("cuda" asks torch); never another device instead.

    Raises `EnvironmentProblem` for a GPU that is not there, and as `check_torch`.
    """
    check_torch()
    import torch

    if device == "cpu":
        return "cpu"
    if not torch.cuda.is_available():
        raise EnvironmentProblem(
            f"runtime.device: expected a CUDA device for {device!r}, torch {torch.__version__} "
            "finds none; run where there is a GPU, or set runtime.device=cpu"
        )
    return str(torch.cuda.get_device_name())


@contextmanager
def torch_session(on: Compute) -> Iterator[None]:
    """Compute with torch on `on` inside: threads, determinism, no hidden TF32.

    Raises `StageFailed` when the memory of the device does not hold the work.
    """
    # Read when CUDA starts; without it deterministic matrix products are refused.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    check_device(on.device)
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(on.threads)
    torch.use_deterministic_algorithms(on.deterministic)
    try:
        with computing(on), tf32(False):
            yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise StageFailed(
            f"expected the work to fit into the memory of {on.device}, it did not "
            f"({memory_reason(error)}); free memory that others use or lower "
            "runtime.shard_workers, then resume; or fork with a lower "
            "generator.sampler.batch_size (images), generator.generation.batch_size (texts), "
            "generator.refit.batch_size or runtime.batch_size"
        ) from error
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


def lacks_memory(error: Exception) -> bool:
    """Whether memory, of a GPU or of the machine, was not enough."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(text in str(error) for text in REFUSALS)


def memory_reason(error: Exception) -> str:
    """What torch says of a lack of memory: its first sentence, without where in torch it was."""
    text = str(error).partition("DefaultCPUAllocator: ")
    return (text[2] or text[0]).partition("\n")[0].partition(". ")[0] or "no memory left"
