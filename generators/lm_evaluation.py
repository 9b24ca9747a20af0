"""How a language model is computed where it is not trained: number format, memory."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from data.errors import StageFailed
from data.float_precision import tf32
from data.torch_session import lacks_memory, memory_reason
from generators.lm_rows import USER

if TYPE_CHECKING:
    import torch


def weights_dtype(precision: dict[str, Any]) -> "torch.dtype":
    """Number format of weights that are not trained; half the memory and time in bfloat16."""
    import torch

    kept: torch.dtype = getattr(torch, precision["dtype"].replace("tf32", "float32"))
    return kept


@contextmanager
def evaluating_in(precision: dict[str, Any], device: str) -> Iterator[None]:
    """Evaluate a model of `weights_dtype` inside, without gradients."""
    import torch

    products = nullcontext() if device == "cpu" else tf32(precision["dtype"] == "tf32")
    with torch.inference_mode(), products:
        yield


@contextmanager
def fitting_into_memory(setting: str) -> Iterator[None]:
    """Raise `StageFailed` naming `setting`, the one to lower, where memory is not enough inside."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise StageFailed(
            f"{USER}: expected the work to fit into memory, it did not ({memory_reason(error)}); "
            f"free memory that others use, then resume; or fork with a lower {setting}"
        ) from error
