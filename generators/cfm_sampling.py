"""Images from a flow: noise integrated along the field from time 0 to 1; n images."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data.compute import compute
from data.errors import BadNumbers
from data.images import Shape
from data.pixels import to_bytes
from generators.network_precision import computing_in
from generators.ot_cfm_config import Sampler

if TYPE_CHECKING:
    import torch

UInt8Array = npt.NDArray[np.uint8]
FIXED = {"euler": "euler", "midpoint": "midpoint", "heun": "heun2"}


def draw_images(
    field: "torch.nn.Module",
    shape: Shape,
    num_samples: int,
    sampler: Sampler,
    *,
    precision: dict[str, Any],
    seed: int,
) -> UInt8Array:  # (n, H, W, C)
    """Images of the flow of `field`, which is on the present device and in evaluation mode.

    Noise is drawn on the CPU for all images first, so that it depends neither on the device
    nor on the batch; torch's generator there takes the low 32 bits of `seed` alone. Raises
    `BadNumbers` for a flow that leaves the finite numbers.
    """
    import torch

    device = compute().device
    height, width, channels = shape
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((num_samples, channels, height, width), generator=generator)
    layout = torch.channels_last if precision["channels_last"] else torch.contiguous_format
    images = np.empty((num_samples, *shape), np.uint8)

    def velocity(time: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        # All images are at one time, so what the network makes of it is computed once.
        answer: torch.Tensor = field(time.expand(1), state)
        return answer.float()

    fixed = sampler.method in FIXED
    with torch.inference_mode(), computing_in(precision, device, autocast=fixed):
        for start in range(0, num_samples, sampler.batch_size):
            stop = min(start + sampler.batch_size, num_samples)
            begin = noise[start:stop].to(device, memory_format=layout)
            end = integrate(velocity, begin, sampler, first_row=start)
            if not bool(torch.isfinite(end).all()):
                raise _not_finite(sampler, start)
            images[start:stop] = to_bytes(end)
    return images


def integrate(
    velocity: Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"],
    begin: "torch.Tensor",  # (n, ...)
    sampler: Sampler,
    *,
    first_row: int = 0,
) -> "torch.Tensor":  # (n, ...)
    """The state at time 1 of the flow that is at `begin` at time 0, no other state being kept.

    Raises `BadNumbers` where dopri5 finds no step that is small enough, naming `first_row`.
    """
    import torch
    from torchdiffeq import odeint

    times = torch.tensor([0.0, 1.0], device=begin.device)
    if sampler.method in FIXED:
        # From a step size torchdiffeq would sometimes make one step too many, of length 0.
        grid = torch.linspace(0, 1, sampler.num_steps + 1, device=begin.device)
        states = odeint(
            velocity,
            begin,
            times,
            method=FIXED[sampler.method],
            options={"grid_constructor": lambda *_: grid},
        )
    else:
        tolerance = sampler.tolerance
        try:
            states = odeint(velocity, begin, times, method="dopri5", rtol=tolerance, atol=tolerance)
        except AssertionError as error:  # how torchdiffeq says that a step underflows
            raise _not_finite(sampler, first_row) from error
    end: torch.Tensor = states[-1]
    return end


def _not_finite(sampler: Sampler, start: int) -> BadNumbers:
    other = "sampler.num_steps" if sampler.method in FIXED else "sampler.tolerance"
    return BadNumbers(
        f"generator ot-cfm: expected finite images from {sampler.method}, got others in the batch "
        f"from row {start} on; the model has diverged: lower refit.learning_rate, or raise {other}"
    )
