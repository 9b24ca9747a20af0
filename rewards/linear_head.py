"""Heads that turn an embedding into a score: published layers without any non-linearity."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import EnvironmentProblem

if TYPE_CHECKING:
    import torch

Head = Callable[["torch.Tensor"], "torch.Tensor"]  # (b, D) -> (b,)

# Places of the linear layers in the published stack; between them lies dropout.
STACK = ("layers.0", "layers.2", "layers.4", "layers.6", "layers.7")


def linear_head(
    state: Mapping[str, "torch.Tensor"],
    layers: tuple[str, ...],
    *,
    source: Path,
    device: str,
) -> Head:
    """The published layers, named by the prefix of their keys ("" for none), applied in order.

    Raises `EnvironmentProblem` unless `state` of the file `source` holds exactly these layers,
    each taking what the one before gives, the last giving one number.
    """
    import torch

    names = [f"{layer}.{part}".lstrip(".") for layer in layers for part in ("weight", "bias")]
    if sorted(state) != sorted(names):
        raise EnvironmentProblem(
            f"{source}: expected the weights {', '.join(names)}, got "
            f"{', '.join(sorted(state)) or 'none'}; use the published file"
        )
    tensors = [state[name].to(device, torch.float32) for name in names]
    stack = list(zip(tensors[::2], tensors[1::2], strict=True))
    widths = [tuple(weight.shape) for weight, _ in stack]
    follows = [below[0] == above[1] for below, above in pairwise(widths)]
    if not all(follows) or widths[-1][0] != 1:
        raise EnvironmentProblem(
            f"{source}: expected layers that end in one number, got shapes {widths}; use the "
            "published file"
        )

    def score(embeddings: torch.Tensor) -> torch.Tensor:
        values = embeddings
        for weight, bias in stack:
            values = torch.nn.functional.linear(values, weight, bias)
        return values[:, 0]

    return score
