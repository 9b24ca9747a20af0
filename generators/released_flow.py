"""Import of a flow that torchcfm's CIFAR-10 example saved, such as the released one.

Its file is a dict of `net_model`, `ema_model`, `sched`, `optim` and `step`; names of weights
start with `module.` where it was trained on several GPUs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError
from data.foreign_tensors import check_file, mismatch, read_foreign

if TYPE_CHECKING:
    import torch

PREFIX = "module."
FETCH = (
    "download otcfm_cifar10_weights_step_400000.pt from the releases of torchcfm "
    "(atong01/conditional-flow-matching) and set initial.weights to where it is"
)


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
    check_file(Path(path), sha256, "initial.weights", FETCH)
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
    found = {name: tuple(weight.shape) for name, weight in weights.items()}
    if problems := mismatch(found, wanted):
        raise ConfigError(
            f"{user}: expected the {len(wanted)} weights of generator.field, got {problems}; set "
            "generator.field to what was trained"
        )
