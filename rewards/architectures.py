"""The networks a classifier can be: how each is built and what it computes.

n images of H x W x C, K classes, D features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from data.images import Shape
from rewards import resnet, small_cnn, vgg

if TYPE_CHECKING:
    import torch
    from torch import nn

ArchitectureName = Literal["vgg11-bn", "resnet20", "resnet56", "small-cnn"]
CIFAR_SHAPE: Shape = (32, 32, 3)


@dataclass(frozen=True)
class Architecture:
    """One network; `shape` (H, W, C) is the only one it takes, None that it takes any."""

    build: Callable[[int, int], "nn.ModuleDict"]  # of K and C
    features: Callable[["nn.ModuleDict", "torch.Tensor"], "torch.Tensor"]  # (n, D)
    logits: Callable[["nn.ModuleDict", "torch.Tensor"], "torch.Tensor"]  # (n, K), of features
    num_features: int
    shape: Shape | None


def _resnet(blocks: int) -> Architecture:
    def build(num_classes: int, channels: int) -> "nn.ModuleDict":
        return resnet.build(num_classes, blocks=blocks)

    return Architecture(build, resnet.features, resnet.logits, resnet.NUM_FEATURES, CIFAR_SHAPE)


ARCHITECTURES: dict[ArchitectureName, Architecture] = {
    "vgg11-bn": Architecture(
        lambda num_classes, channels: vgg.build(num_classes),
        vgg.features,
        vgg.logits,
        vgg.NUM_FEATURES,
        CIFAR_SHAPE,
    ),
    "resnet20": _resnet(3),
    "resnet56": _resnet(9),
    "small-cnn": Architecture(
        lambda num_classes, channels: small_cnn.build(num_classes, channels=channels),
        small_cnn.features,
        small_cnn.logits,
        small_cnn.NUM_FEATURES,
        None,
    ),
}
