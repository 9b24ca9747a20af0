"""Solvers on a linear field with a known flow, and flows that leave the finite numbers."""

import math
from typing import Any, Literal

import pytest
import torch

from data.errors import BadNumbers
from generators.cfm_sampling import draw_images, integrate
from generators.ot_cfm_config import OtCfmConfig, Sampler

Method = Literal["dopri5", "euler", "midpoint", "heun"]
RATE = -1.5
PRECISION = {"dtype": "float32", "channels_last": False, "compiled": False}


def linear(time: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    """dx/dt = RATE x + t, whose flow has a closed form."""
    return RATE * state + time


def error(method: Method, num_steps: int) -> float:
    begin = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    growth = math.exp(RATE)
    exact = begin * growth + (growth - 1 - RATE) / RATE**2
    sampler = Sampler(method=method, num_steps=num_steps)
    return float((integrate(linear, begin, sampler) - exact).abs().max())


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_solvers_converge_to_the_closed_form_with_their_order(method: Method, order: int) -> None:
    coarse, fine = error(method, 20), error(method, 40)
    assert fine < 0.1
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.15)


def test_dopri5_meets_its_tolerance() -> None:
    assert error("dopri5", 1) < 1e-4


@pytest.mark.parametrize(
    ("method", "num_steps", "calls"), [("euler", 3, 3), ("midpoint", 7, 14), ("heun", 49, 98)]
)
def test_a_step_costs_as_many_evaluations_as_promised(
    method: Method, num_steps: int, calls: int
) -> None:
    times = []

    def counted(time: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        times.append(float(time))
        return linear(time, state)

    integrate(counted, torch.zeros(1, 1), Sampler(method=method, num_steps=num_steps))
    assert len(times) == calls
    assert times[0] == 0 and max(times) <= 1


class Constant(torch.nn.Module):
    """A field that is the same everywhere."""

    def __init__(self, velocity: float) -> None:
        super().__init__()
        self.velocity = velocity

    def forward(self, times: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        assert times.shape == (1,)
        return torch.full_like(images, self.velocity)


def images_of_flow(velocity: float, **sampler: Any) -> Any:
    chosen = Sampler(**({"method": "euler", "num_steps": 2} | sampler))
    field = Constant(velocity)
    return draw_images(field, (4, 4, 3), 7, chosen, precision=PRECISION, seed=1)


def test_images_do_not_depend_on_the_batch_under_a_fixed_step() -> None:
    images = images_of_flow(0.2)
    assert images.shape == (7, 4, 4, 3)
    assert (images == images_of_flow(0.2, batch_size=3)).all()
    assert (images_of_flow(9.0) == 255).all() and (images_of_flow(-9.0) == 0).all()


class BrokenForThree(Constant):
    """NaN for batches of three images."""

    def forward(self, times: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return super().forward(times, images) + (math.nan if len(images) == 3 else 0)


@pytest.mark.parametrize(
    ("method", "advice"), [("euler", "sampler.num_steps"), ("dopri5", "sampler.tolerance")]
)
def test_a_flow_that_is_not_finite_is_an_error_with_its_row(method: Method, advice: str) -> None:
    sampler, field = Sampler(method=method, num_steps=2, batch_size=4), BrokenForThree(0.1)
    text = f"finite images from {method}, got others in the batch from row 4 on; .* raise {advice}$"
    with pytest.raises(BadNumbers, match=text):
        draw_images(field, (4, 4, 3), 7, sampler, precision=PRECISION, seed=1)


def test_the_sampler_of_torchcfm_is_the_default() -> None:
    sampler = OtCfmConfig().sampler
    assert (sampler.method, sampler.tolerance) == ("dopri5", 1e-5)
