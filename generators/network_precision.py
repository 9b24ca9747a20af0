"""In what precision a network is computed, chosen by device and recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from data.float_precision import tf32

if TYPE_CHECKING:
    import torch

DTYPES = {"fp32": "float32", "tf32": "tf32", "bf16": "bfloat16", "fp64": "float64"}


def resolved_dtype(precision: str, device: str, *, auto_on_gpu: str) -> str:
    """What `precision` means on `device` ("cpu", "cuda"), as `dtype` of what is recorded.

    bfloat16 is slower than float32 on a CPU without matrix units for it, so nothing but a
    configuration chooses it there; TF32 exists on GPUs alone and is float32 elsewhere.
    """
    on_gpu = device != "cpu"
    if precision == "auto":
        precision = auto_on_gpu if on_gpu else "fp32"
    if precision == "tf32" and not on_gpu:
        precision = "fp32"
    return DTYPES[precision]


def gpu_computes_bf16() -> bool:
    """Whether the GPU here has units for bfloat16; True where there is none to ask."""
    import torch

    if not torch.cuda.is_available():
        return True  # a plan made elsewhere; all GPUs since 2020 have them
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def in_precision(
    model: "torch.nn.Module", precision: dict[str, Any], device: str
) -> "torch.nn.Module":
    """The model on `device`, its weights in single precision, or double where that is chosen.

    bfloat16 weights would lose most of a small learning rate's steps to rounding.
    """
    import torch

    double = precision["dtype"] == "float64"
    return model.to(device, torch.float64 if double else torch.float32)


@contextmanager
def computing_in(
    precision: dict[str, Any], device: str, *, autocast: bool, keep_rounded: bool = True
) -> Iterator[None]:
    """Compute in `precision` inside; bfloat16 only where `autocast` is wanted.

    With `keep_rounded` a weight is rounded to it once, and the copy stays until the end.
    """
    import torch

    lower = autocast and precision["dtype"] == "bfloat16"
    with torch.autocast(device, torch.bfloat16, enabled=lower, cache_enabled=keep_rounded):
        if device == "cpu":
            yield
            return
        with tf32(precision["dtype"] in ("tf32", "bfloat16")):
            yield
