"""Exponential moving average of a network's weights (EMA)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def move_average(
    average: Sequence["torch.Tensor"],  # as weights
    weights: Sequence["torch.Tensor"],
    *,
    decay: float,
) -> None:
    """Replace each average a by decay a + (1 - decay) w, in place and for all tensors at once."""
    import torch

    with torch.no_grad():
        torch._foreach_lerp_(list(average), list(weights), 1 - decay)
