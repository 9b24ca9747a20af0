"""In what precision and layout the flow is computed, chosen by device and recorded."""

from typing import TYPE_CHECKING, Any

from generators.network_precision import resolved_dtype
from generators.ot_cfm_config import OtCfmConfig

if TYPE_CHECKING:
    import torch


def resolved_precision(config: OtCfmConfig, device: str) -> dict[str, Any]:
    """What `auto` means on `device` ("cpu", "cuda"): `dtype`, `channels_last`, `compiled`."""
    on_gpu = device != "cpu"
    last = on_gpu if config.channels_last == "auto" else config.channels_last == "on"
    return {
        "dtype": resolved_dtype(config.precision, device, auto_on_gpu="tf32"),
        "channels_last": last and config.field.kind == "unet",
        "compiled": config.compile == "on",
    }


def laid_out(field: "torch.nn.Module", precision: dict[str, Any], device: str) -> "torch.nn.Module":
    """The field on `device` in its memory layout."""
    import torch

    layout = torch.channels_last if precision["channels_last"] else torch.contiguous_format
    return field.to(device, memory_format=layout)  # type: ignore[call-overload, no-any-return]
