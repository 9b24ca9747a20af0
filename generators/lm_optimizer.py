"""AdamW of a language model's fine-tuning and its learning rate."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from generators.causal_lm_config import FineTuning

if TYPE_CHECKING:
    import torch


def learning_rate(tuning: FineTuning, step: int, num_steps: int) -> float:
    """Learning rate of `step` of `num_steps`, as transformers' schedules have it.

    It rises linearly over `warm_up` steps, the first of which has 0; then it stays, or falls to 0
    linearly or along half a cosine, and would reach it in step `num_steps`.
    """
    if step < tuning.warm_up:
        return tuning.learning_rate * step / tuning.warm_up
    if tuning.schedule == "constant":
        return tuning.learning_rate
    done = (step - tuning.warm_up) / max(num_steps - tuning.warm_up, 1)
    if tuning.schedule == "linear":
        return tuning.learning_rate * (1 - done)
    return tuning.learning_rate * (1 + math.cos(math.pi * done)) / 2


def make_optimizer(
    weights: "Iterable[torch.nn.Parameter]", tuning: FineTuning
) -> "torch.optim.AdamW":
    """AdamW; vectors, that is biases and the scales of norms, do not decay."""
    import torch

    every = list(weights)
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in every if weight.dim() >= 2]},
        {"params": [weight for weight in every if weight.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=tuning.learning_rate, weight_decay=tuning.weight_decay, fused=True
    )
