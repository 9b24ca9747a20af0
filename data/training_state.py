"""State of a training loop in one checkpoint folder: model, optimizer, averages, generators.

Tensors go to state.safetensors, everything else into the checkpoint's position. Those that
processes keep parts of are written whole.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.sharded_tensors import split_like, whole_on_cpu

if TYPE_CHECKING:
    import torch
    from torch.optim import Optimizer

STATE = "state.safetensors"


def write_state(
    folder: Path,
    *,
    tensors: Mapping[str, Mapping[str, "torch.Tensor"]],
    optimizer: "Optimizer",
) -> None:
    """Write named groups of tensors (such as `model` and `average`) and the optimizer's state.

    Buffers such as generator states are groups of tensors too. Raises `AssertionError` for an
    optimizer whose state holds anything but tensors.
    """
    write_whole_state(folder, whole_state(tensors=tensors, optimizer=optimizer))


def write_whole_state(folder: Path, state: Mapping[str, "torch.Tensor"]) -> None:
    """Write what `whole_state` gave."""
    from safetensors.torch import save_file

    save_file({key: value.contiguous() for key, value in state.items()}, folder / STATE)


def whole_state(
    *,
    tensors: Mapping[str, Mapping[str, "torch.Tensor"]],
    optimizer: "Optimizer",
    keep: bool = True,
) -> "dict[str, torch.Tensor]":
    """What `write_state` writes, on the CPU; nothing without `keep`.

    Every process that keeps parts of the tensors has to call.
    """
    flat = {
        f"{group}/{name}": value
        for group, values in tensors.items()
        for name, value in values.items()
    }
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            assert hasattr(value, "detach"), f"optimizer state {name} is no tensor"
            flat[f"optimizer/{index}/{name}"] = value
    return whole_on_cpu(flat, keep=keep)


def read_state(folder: Path, *, optimizer: "Optimizer") -> dict[str, dict[str, "torch.Tensor"]]:
    """The groups of tensors that `write_state` wrote; the optimizer's state is put back into it.

    Learning rates and the like are not read: the configuration decides them.
    """
    from safetensors.torch import load_file

    groups: dict[str, dict[str, torch.Tensor]] = {}
    state: dict[int, dict[str, Any]] = {}
    trained = [weight for group in optimizer.param_groups for weight in group["params"]]
    for key, value in load_file(folder / STATE).items():
        group, _, name = key.partition("/")
        if group == "optimizer":
            index, _, field = name.partition("/")
            weight = trained[int(index)]
            # A moment is split as its weight; a number of steps is not.
            part = split_like(value, weight) if value.shape == weight.shape else value
            state.setdefault(int(index), {})[field] = part
        else:
            groups.setdefault(group, {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return groups
