"""Velocity fields: networks v(t, x) for n times, or one, and n images of C x H x W."""

from functools import cache
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError
from data.images import Shape
from generators.ot_cfm_config import MlpField, UNetField

if TYPE_CHECKING:
    import torch

HIGHEST_FREQUENCY = 100.0


def make_field(config: UNetField | MlpField, shape: Shape, *, seed: int) -> "torch.nn.Module":
    """The network for images of shape (H, W, C) with fresh weights, on the CPU.

    Raises as `check_field`.
    """
    import torch

    check_field(config, shape)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if isinstance(config, MlpField):
            field: torch.nn.Module = _mlp_class()(config, shape)
            return field
        return _unet(config, shape)


def field_without_values(config: UNetField | MlpField, shape: Shape) -> "torch.nn.Module":
    """The network with names and shapes of weights alone; raises as `check_field`."""
    import torch

    with torch.device("meta"):
        return make_field(config, shape, seed=0)


def check_field(config: UNetField | MlpField, shape: Shape) -> None:
    """Raise `ConfigError` for images of a shape that the network cannot take."""
    if isinstance(config, MlpField):
        return
    height, width, _ = shape
    halvings = 2 ** (len(config.channel_mult) - 1)
    if height != width or height % halvings:
        raise ConfigError(
            f"generator ot-cfm: expected square images of a side divisible by {halvings} for a "
            f"U-Net of {len(config.channel_mult)} levels, got {height}x{width}; shorten "
            "field.channel_mult"
        )
    _check_heads(config, height)


def _unet(config: UNetField, shape: Shape) -> "torch.nn.Module":
    from torchcfm.models.unet.unet import UNetModelWrapper

    height, width, channels = shape
    field: torch.nn.Module = UNetModelWrapper(
        dim=(channels, height, width),
        num_res_blocks=config.num_res_blocks,
        num_channels=config.channels,
        channel_mult=config.channel_mult,
        num_heads=config.num_heads,
        num_head_channels=config.num_head_channels or -1,
        # A side that is not reached is no error: a smaller image has fewer levels.
        attention_resolutions=",".join(
            str(side) for side in config.attention_resolutions if side <= height
        )
        or str(height * 2),
        dropout=config.dropout,
    )
    return field


def _check_heads(config: UNetField, side: int) -> None:
    """Raise `ConfigError` for channels that attention heads do not divide."""
    deepest = len(config.channel_mult) - 1  # below which there is attention always
    for level, multiple in enumerate(config.channel_mult):
        channels = config.channels * multiple
        divisor = config.num_head_channels or config.num_heads
        has_attention = level == deepest or side // 2**level in config.attention_resolutions
        if has_attention and channels % divisor:
            raise ConfigError(
                f"generator ot-cfm: expected attention heads to divide the {channels} channels of "
                f"level {level}, got {divisor}; set field.num_head_channels to a divisor, or to "
                "null with a field.num_heads that is one"
            )


@cache
def _mlp_class() -> Any:
    """The class of the MLP; a function, since torch is imported late."""
    import torch
    from torch import nn

    class Mlp(nn.Module):
        rates: torch.Tensor

        def __init__(self, config: MlpField, shape: Shape) -> None:
            super().__init__()
            height, width, channels = shape
            size = height * width * channels
            half = config.time_features // 2
            self.from_image = nn.Linear(size, config.width)
            self.from_time = nn.Linear(config.time_features, config.width, bias=False)
            self.hidden = nn.ModuleList(
                nn.Linear(config.width, config.width) for _ in range(config.num_hidden - 1)
            )
            self.to_velocity = nn.Linear(config.width, size)
            rates = torch.logspace(0, 1, half, base=HIGHEST_FREQUENCY)
            self.register_buffer("rates", rates, persistent=False)

        def forward(
            self,
            times: torch.Tensor,  # (n,), or (1,) for all
            images: torch.Tensor,  # (n, C, H, W)
        ) -> torch.Tensor:  # (n, C, H, W)
            angles = times[:, None] * self.rates
            features = torch.cat([angles.sin(), angles.cos()], dim=1)
            state = self.from_image(images.flatten(1)) + self.from_time(features)
            for layer in self.hidden:
                state = layer(nn.functional.silu(state))
            velocity: torch.Tensor = self.to_velocity(nn.functional.silu(state))
            return velocity.view_as(images)

    return Mlp
