"""A small convolutional network for images of any size, such as the 8 x 8 digits (ours).

Three convolutions of 16, 32 and 64 channels, the image halved after the first where it has at
least 4 pixels a side, a global mean, one linear layer. n images.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

WIDTHS = (16, 32, 64)
NUM_FEATURES = WIDTHS[-1]
LEAST_TO_HALVE = 4


def build(num_classes: int, *, channels: int) -> "nn.ModuleDict":
    """A network with random parameters, drawn from torch's global generator."""
    from torch import nn

    parts: dict[str, nn.Module] = {}
    inputs = channels
    for number, width in enumerate(WIDTHS, start=1):
        parts[f"conv{number}"] = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        parts[f"norm{number}"] = nn.BatchNorm2d(width)
        inputs = width
    parts["linear"] = nn.Linear(inputs, num_classes)
    return nn.ModuleDict(parts)


def features(
    network: "nn.ModuleDict",
    inputs: "torch.Tensor",  # (n, C, H, W), normalised
) -> "torch.Tensor":  # (n, 64)
    """Channels of the last convolution, averaged over the image."""
    from torch.nn.functional import max_pool2d

    x = inputs
    for number in range(1, len(WIDTHS) + 1):
        x = network[f"norm{number}"](network[f"conv{number}"](x)).relu()
        if number < len(WIDTHS) and min(x.shape[2:]) >= LEAST_TO_HALVE:
            x = max_pool2d(x, 2)
    return x.mean(dim=(2, 3))


def logits(
    network: "nn.ModuleDict",
    pooled: "torch.Tensor",  # (n, 64)
) -> "torch.Tensor":  # (n, C)
    """Unnormalised logarithms of the class probabilities."""
    found: torch.Tensor = network["linear"](pooled)
    return found
