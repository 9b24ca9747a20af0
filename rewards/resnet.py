"""ResNets of 6 s + 2 layers for images of 32 x 32 x 3 (He et al. 2016, section 4.2).

A stem of 16 channels, three stages of s blocks with 16, 32 and 64 channels at 32, 16 and 8
pixels, a global mean and one linear layer. Shortcuts have no parameters: where a stage begins
they take every second pixel and pad the channels with zeros, half of them on either side.
Parameters are named as in akamaster/pytorch_resnet_cifar10, whose published files this loads.
n images.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

WIDTHS = (16, 32, 64)
NUM_FEATURES = WIDTHS[-1]


def build(num_classes: int, *, blocks: int) -> "nn.ModuleDict":
    """A network of `blocks` blocks a stage with random parameters, from the global generator."""
    from torch import nn

    def block(inputs: int, outputs: int) -> nn.ModuleDict:
        stride = 1 if inputs == outputs else 2
        return nn.ModuleDict(
            {
                "conv1": nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
                "bn1": nn.BatchNorm2d(outputs),
                "conv2": nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                "bn2": nn.BatchNorm2d(outputs),
            }
        )

    parts: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False),
        "bn1": nn.BatchNorm2d(WIDTHS[0]),
    }
    inputs = WIDTHS[0]
    for number, width in enumerate(WIDTHS, start=1):
        widths = [inputs, *[width] * blocks]
        stage = [block(*pair) for pair in pairwise(widths)]
        parts[f"layer{number}"] = nn.ModuleList(stage)
        inputs = width
    parts["linear"] = nn.Linear(inputs, num_classes)
    network = nn.ModuleDict(parts)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return network


def features(
    network: "nn.ModuleDict",
    inputs: "torch.Tensor",  # (n, 3, 32, 32), normalised
) -> "torch.Tensor":  # (n, 64)
    """Channels of the last block, averaged over the image."""
    x: torch.Tensor = network["bn1"](network["conv1"](inputs)).relu()
    for number in range(1, len(WIDTHS) + 1):
        for block in network[f"layer{number}"]:  # type: ignore[attr-defined]
            x = _after_block(block, x)
    return x.mean(dim=(2, 3))


def logits(
    network: "nn.ModuleDict",
    pooled: "torch.Tensor",  # (n, 64)
) -> "torch.Tensor":  # (n, C)
    """Unnormalised logarithms of the class probabilities."""
    found: torch.Tensor = network["linear"](pooled)
    return found


def _after_block(
    block: "nn.ModuleDict",
    x: "torch.Tensor",  # (n, C, H, W)
) -> "torch.Tensor":
    from torch.nn.functional import pad

    residual: torch.Tensor = block["bn1"](block["conv1"](x)).relu()
    residual = block["bn2"](block["conv2"](residual))
    missing = residual.shape[1] - x.shape[1]
    if missing:
        x = pad(x[:, :, ::2, ::2], (0, 0, 0, 0, missing // 2, missing // 2))
    return (residual + x).relu()
