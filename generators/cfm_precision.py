"""In what precision and layout the flow is computed, chosen by device and recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from data.float_precision import tf32
from generators.ot_cfm_config import OtCfmConfig

if TYPE_CHECKING:
    import torch


def resolved_precision(config: OtCfmConfig, device: str) -> dict[str, Any]:
    """What `auto` means on `device` ("cpu", "cuda"): `dtype`, `channels_last`, `compiled`.

    bfloat16 is slower than float32 on a CPU without matrix units for it, so nothing but a
    configuration chooses it there; TF32 exists on GPUs alone and is float32 elsewhere.
    """
    on_gpu = device != "cpu"
    chosen = config.precision
    if chosen == "auto":
        chosen = "tf32" if on_gpu else "fp32"
    if chosen == "tf32" and not on_gpu:
        chosen = "fp32"
    last = on_gpu if config.channels_last == "auto" else config.channels_last == "on"
    return {
        "dtype": {"fp32": "float32", "tf32": "tf32", "bf16": "bfloat16"}[chosen],
        "channels_last": last and config.field.kind == "unet",
        "compiled": config.compile == "on",
    }


def laid_out(field: "torch.nn.Module", precision: dict[str, Any], device: str) -> "torch.nn.Module":
    """The field on `device` in its memory layout."""
    import torch

    layout = torch.channels_last if precision["channels_last"] else torch.contiguous_format
    return field.to(device, memory_format=layout)  # type: ignore[call-overload, no-any-return]


@contextmanager
def computing_in(precision: dict[str, Any], device: str, *, autocast: bool) -> Iterator[None]:
    """Compute in `precision` inside; bfloat16 only where `autocast` is wanted."""
    import torch

    lower = autocast and precision["dtype"] == "bfloat16"
    with torch.autocast(device, torch.bfloat16, enabled=lower):
        if device == "cpu":
            yield
            return
        with tf32(precision["dtype"] != "float32"):
            yield
