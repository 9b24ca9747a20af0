"""The moving average against its formula."""

import pytest
import torch

from generators.ot_cfm_config import Refit, Training
from generators.weight_average import move_average


@pytest.mark.parametrize("training", [Refit(), Training(average_decay=0.9)])
def test_the_average_follows_its_formula(training: Training) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 2), (5,)]
    start = [torch.randn(shape, generator=generator) for shape in shapes]
    average, naive = [one.clone() for one in start], [one.double() for one in start]
    for step in range(30):
        weights = [torch.randn(shape, generator=generator) for shape in shapes]
        decay = training.decay(step)
        move_average(average, weights, decay=decay)
        naive = [decay * old + (1 - decay) * new for old, new in zip(naive, weights, strict=True)]
    for ours, expected in zip(average, naive, strict=True):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_ramp_starts_at_a_tenth_and_ends_at_the_decay() -> None:
    refit = Refit()
    assert refit.decay(0) == pytest.approx(0.1)
    assert refit.decay(90) == pytest.approx(0.91)
    assert refit.decay(10**7) == refit.average_decay == 0.9999
    assert Training().decay(0) == 0.9999


def test_the_rate_rises_linearly_and_stays() -> None:
    training = Training(warm_up=10, learning_rate=0.5)
    assert [training.rate(step) for step in (0, 5, 10, 99)] == [0, 0.25, 0.5, 0.5]
    assert Refit().rate(0) == 2e-4
