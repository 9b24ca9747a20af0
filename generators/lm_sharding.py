"""One language model whose weights, gradients and optimizer are split over processes (FSDP2).

Every block of the architecture is put together when it is computed, and given up afterwards;
embeddings and head, which may be the same, are kept together from the start of a pass to its end.
Weights are exchanged in the precision that they are kept in, so that bfloat16 is chosen operation
by operation, as in one process. Run with gloo on a CPU only so far, never on GPUs.
"""

from typing import TYPE_CHECKING, Any

from data.errors import ConfigError
from generators.lm_rows import USER

if TYPE_CHECKING:
    import torch


def check_sharding(model: "torch.nn.Module") -> None:
    """Raise `ConfigError` for a model that cannot be split."""
    if not blocks_of(model):
        raise ConfigError(
            f"{USER}: expected an architecture whose blocks transformers names, as it has to be "
            f"split by them, got {type(model).__name__}; set generator.sharding=none"
        )


def blocks_of(model: "torch.nn.Module") -> "list[torch.nn.Module]":
    """The blocks that transformers wants kept in one piece, inner ones first."""
    named: Any = getattr(model, "_no_split_modules", None) or ()
    return [part for part in reversed(list(model.modules())) if type(part).__name__ in named]


def shard(model: "torch.nn.Module", device: str, *, number: int) -> None:
    """Split `model`, whole on the CPU, over the processes: here stays a part of it on `device`.

    Its gradients become means over the processes by themselves. Every process has to make the
    same passes, forwards and backwards, in the same order.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device, (number,))
    for part in [*blocks_of(model), model]:
        fully_shard(part, mesh=mesh)
