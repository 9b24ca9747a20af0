"""VGG11 with batch normalisation for images of 32 x 32 x 3 (Simonyan and Zisserman 2015, A).

Parameters are named as in huyvnphan/PyTorch_CIFAR10, whose published `vgg11_bn` this loads:
28.15 million of them, most in the two hidden layers of the head. n images.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

# Channels of each convolution; 0 halves the image instead.
LAYERS = (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0)
NUM_FEATURES = 512
HIDDEN = 4096


def build(num_classes: int) -> "nn.ModuleDict":
    """A network with random parameters, drawn from torch's global generator."""
    from torch import nn

    layers: list[nn.Module] = []
    channels = 3
    for width in LAYERS:
        if width == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        convolution = nn.Conv2d(channels, width, 3, padding=1)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    head: list[nn.Module] = []
    for inputs, outputs in ((NUM_FEATURES, HIDDEN), (HIDDEN, HIDDEN)):
        head += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(0.5)]
    head.append(nn.Linear(HIDDEN, num_classes))
    for layer in head:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
    return nn.ModuleDict({"features": nn.Sequential(*layers), "classifier": nn.Sequential(*head)})


def features(
    network: "nn.ModuleDict",
    inputs: "torch.Tensor",  # (n, 3, 32, 32), normalised
) -> "torch.Tensor":  # (n, 512)
    """Channels of the last convolution, averaged over what is left of the image."""
    pooled: torch.Tensor = network["features"](inputs).mean(dim=(2, 3))
    return pooled


def logits(
    network: "nn.ModuleDict",
    pooled: "torch.Tensor",  # (n, 512)
) -> "torch.Tensor":  # (n, C)
    """Unnormalised logarithms of the class probabilities."""
    found: torch.Tensor = network["classifier"](pooled)
    return found
