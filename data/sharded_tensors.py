"""Tensors that several processes keep parts of (torch's DTensor): put together, and split again.

Other tensors are whole everywhere and pass through unchanged.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def is_sharded(tensor: "torch.Tensor") -> bool:
    """Whether this process keeps a part of the tensor only."""
    return hasattr(tensor, "full_tensor")


def whole(tensor: "torch.Tensor") -> "torch.Tensor":
    """All of the tensor; every process that keeps a part of it has to call."""
    if not is_sharded(tensor):
        return tensor
    sharded: Any = tensor
    full: torch.Tensor = sharded.full_tensor()
    return full


def whole_on_cpu(
    tensors: Mapping[str, "torch.Tensor"], *, keep: bool = True
) -> "dict[str, torch.Tensor]":
    """All of the tensors, on the CPU; none without `keep`.

    Every process that keeps parts has to call. They are put together one by one, so a GPU needs
    memory for the largest alone, and processes without `keep` no more on the CPU either.
    """
    kept: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        put_together = whole(tensor.detach())
        if keep:
            kept[name] = put_together.cpu()
    return kept


def split_like(full: "torch.Tensor", other: "torch.Tensor") -> "torch.Tensor":
    """`full` split over processes as `other` is, which may be whole; nothing is exchanged."""
    if not is_sharded(other):
        return full
    from torch.distributed.tensor import distribute_tensor

    like: Any = other
    return distribute_tensor(full, like.device_mesh, like.placements, src_data_rank=None)
