"""State of a training loop in one checkpoint folder: model, optimizer, averages, generators.

Tensors go to state.safetensors, everything else into the checkpoint's position.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from safetensors.torch import save_file

    flat = {
        f"{group}/{name}": value.detach().cpu().contiguous()
        for group, values in tensors.items()
        for name, value in values.items()
    }
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            assert hasattr(value, "detach"), f"optimizer state {name} is no tensor"
            flat[f"optimizer/{index}/{name}"] = value.detach().cpu().contiguous()
    save_file(flat, folder / STATE)


def read_state(folder: Path, *, optimizer: "Optimizer") -> dict[str, dict[str, "torch.Tensor"]]:
    """The groups of tensors that `write_state` wrote; the optimizer's state is put back into it.

    Learning rates and the like are not read: the configuration decides them.
    """
    from safetensors.torch import load_file

    groups: dict[str, dict[str, torch.Tensor]] = {}
    state: dict[int, dict[str, Any]] = {}
    for key, value in load_file(folder / STATE).items():
        group, _, name = key.partition("/")
        if group == "optimizer":
            index, _, field = name.partition("/")
            state.setdefault(int(index), {})[field] = value
        else:
            groups.setdefault(group, {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return groups
