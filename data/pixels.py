"""Pixels as tensors: bytes on the device, ranges, augmentation; n images of C x H x W.

Images stay bytes in memory; a batch becomes floating point when it is used. Here alone a range
is changed: [-1, 1] is what flows see, [0, 1] what classifiers see before they normalise.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.compute import compute

if TYPE_CHECKING:
    import torch

UInt8Array = npt.NDArray[np.uint8]


def on_device(
    images: UInt8Array,  # (n, H, W, C)
) -> "torch.Tensor":  # (n, C, H, W), uint8
    """Bytes on the present device, channels first."""
    import torch

    return torch.from_numpy(np.array(images)).to(compute().device).permute(0, 3, 1, 2)


def signed(
    pixels: "torch.Tensor",  # (n, C, H, W), uint8
) -> "torch.Tensor":  # float32
    """Values in [-1, 1]: 0 becomes -1 and 255 becomes 1."""
    return pixels.float().div_(127.5).sub_(1)


def unsigned(
    pixels: "torch.Tensor",  # (n, C, H, W), uint8
) -> "torch.Tensor":  # float32
    """Values in [0, 1]."""
    return pixels.float().div_(255)


def to_bytes(
    values: "torch.Tensor",  # (n, C, H, W), nominally in [-1, 1]
) -> UInt8Array:  # (n, H, W, C)
    """Nearest bytes of signed values in host memory; what lies outside [-1, 1] is clipped."""
    import torch

    scaled = values.float().add(1).mul_(127.5).round_().clamp_(0, 255)
    bytes_: UInt8Array = scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return bytes_


def flipped(
    pixels: "torch.Tensor",  # (n, C, H, W)
    generator: "torch.Generator",
) -> "torch.Tensor":
    """Each image mirrored left to right with chance 1/2; `generator` lives on the CPU."""
    import torch

    chosen = torch.rand(len(pixels), generator=generator) < 0.5
    return torch.where(chosen.to(pixels.device)[:, None, None, None], pixels.flip(3), pixels)


def shifted(
    pixels: "torch.Tensor",  # (n, C, H, W)
    generator: "torch.Generator",
    *,
    by: int,
) -> "torch.Tensor":
    """Each image moved by up to `by` pixels along both axes, zeros moving in.

    The random crop of the padded image that CIFAR-10 classifiers are trained with.
    """
    import torch

    n, _, height, width = pixels.shape
    padded = torch.nn.functional.pad(pixels, (by, by, by, by))
    moves = torch.randint(2 * by + 1, (2, n, 1), generator=generator).to(pixels.device)
    rows = moves[0] + torch.arange(height, device=pixels.device)
    columns = moves[1] + torch.arange(width, device=pixels.device)
    image = torch.arange(n, device=pixels.device)[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
