"""Import of a flow that torchcfm's CIFAR-10 example saved, such as the released one.

Its file is a dict of `net_model`, `ema_model`, `sched`, `optim` and `step`; names of weights
start with `module.` where it was trained on several GPUs.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, EnvironmentProblem
from data.foreign_tensors import read_foreign

if TYPE_CHECKING:
    import torch

PREFIX = "module."
SHOWN = 5


def read_released(
    path: str,
    field: "torch.nn.Module",
    *,
    part: str,
    sha256: str,
) -> dict[str, "torch.Tensor"]:
    """Weights for `field` from the file's entry `part`.

    Raises `EnvironmentProblem` for a missing or unreadable file or another digest, `ConfigError`
    for another layout, missing or unexpected weights and other shapes.
    """
    check_file(Path(path), sha256)
    content = read_foreign(
        Path(path), "initial.weights", "use a file that torchcfm's CIFAR-10 example saved"
    )
    if not isinstance(content, dict) or not isinstance(content.get(part), dict):
        found = ", ".join(map(str, content)) if isinstance(content, dict) else type(content)
        raise ConfigError(
            f"initial.weights: expected a dict with {part!r} in {path}, got {found}; use a file "
            "that torchcfm's CIFAR-10 example saved, or another initial.weights_part"
        )
    weights = {str(name).removeprefix(PREFIX): value for name, value in content[part].items()}
    check_weights(weights, field, f"initial.weights: {path}")
    return {name: weights[name].detach().float().contiguous() for name in weights}


def check_weights(weights: dict[str, Any], field: "torch.nn.Module", user: str) -> None:
    """Raise `ConfigError` for names or shapes other than those of `field`."""
    wanted = {name: tuple(weight.shape) for name, weight in field.named_parameters()}
    missing = sorted(wanted.keys() - weights.keys())
    unexpected = sorted(weights.keys() - wanted.keys())
    other = [
        f"{name} {tuple(weights[name].shape)} for {wanted[name]}"
        for name in wanted
        if name in weights and tuple(weights[name].shape) != wanted[name]
    ]
    if missing or unexpected or other:
        raise ConfigError(
            f"{user}: expected the {len(wanted)} weights of generator.field, got missing "
            f"{_first(missing)}; unexpected {_first(unexpected)}; of other shape {_first(other)}; "
            "set generator.field to what was trained"
        )


def _first(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else "none"


def check_file(path: Path, sha256: str) -> None:
    """Raise `EnvironmentProblem` for a missing file or another digest."""
    if not path.is_file():
        raise EnvironmentProblem(
            f"initial.weights: expected a file at {path}, got none; download "
            "otcfm_cifar10_weights_step_400000.pt from the releases of torchcfm "
            "(atong01/conditional-flow-matching) and set initial.weights to where it is"
        )
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise EnvironmentProblem(
            f"initial.weights: expected sha256 {sha256} of {path}, got {found}; fetch the file "
            "again, or set initial.weights_sha256 to what you trust"
        )
