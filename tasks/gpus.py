"""Which GPUs a worker process sees: workers share those of their parent evenly."""

import os

from data.torch_session import check_torch


def num_gpus() -> int:
    """Number of GPUs this process sees; raises as `check_torch`."""
    check_torch()
    import torch

    return torch.cuda.device_count()


def gpu_environment(worker: int, *, width: int = 1) -> dict[str, str]:
    """Environment of worker number `worker`, which sees `width` GPUs; empty without a GPU."""
    found = num_gpus()
    if not found:
        return {}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return {"CUDA_VISIBLE_DEVICES": gpus_of(worker, found, visible, width=width)}


def gpus_of(worker: int, number: int, visible: str | None, *, width: int = 1) -> str:
    """Names of the `width` GPUs, of `number`, that worker number `worker` sees.

    `visible` is CUDA_VISIBLE_DEVICES of this process.
    """
    names = visible.split(",") if visible is not None else [str(i) for i in range(number)]
    first, width = worker * width, min(width, number)
    return ",".join(names[(first + i) % number].strip() for i in range(width))
