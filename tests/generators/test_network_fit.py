"""The log of a training loop and the seeds of its steps."""

import numpy as np
import pytest
import torch

from data.errors import BadNumbers
from generators.network_fit import (
    StepLog,
    own_generators,
    seed_generators,
    step_seed,
    weight_metrics,
)


def log() -> StepLog:
    return StepLog(5, "cpu", user="generator x")


@pytest.mark.parametrize(("loss", "norm"), [(float("nan"), 1.0), (1.0, float("inf"))])
def test_the_first_bad_step_is_named(loss: float, norm: float) -> None:
    steps = log()
    steps.look(2)
    steps.losses[3], steps.norms[3] = loss, norm
    steps.look(3)
    text = f"generator x: expected a finite loss and gradient, got {loss} and norm {norm} in step 3"
    with pytest.raises(BadNumbers, match=text):
        steps.look(5)
    assert len(steps.good_losses) == 3


def test_a_restored_log_goes_on() -> None:
    steps = log()
    steps.restore(torch.tensor([3.0, 2.0]))
    steps.losses[2:] = 1.0
    steps.look(5)
    np.testing.assert_array_equal(steps.all_losses(), [3.0, 2.0, 1.0, 1.0, 1.0])


def test_steps_and_seeds_have_seeds_of_their_own() -> None:
    seeds = {step_seed(seed, step) for seed in range(10) for step in range(100)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_global_generator_is_seeded_inside_and_put_back() -> None:
    before = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with own_generators("cpu"):
            seed_generators("cpu", 7)
            drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_size_of_weights_does_not_depend_on_their_order() -> None:
    weights = {"b": torch.tensor([[3.0, 0.0]]), "a": torch.tensor([4.0])}
    found = weight_metrics(weights)
    assert found == {"num_parameters": 3.0, "weight_norm": 5.0}
    assert weight_metrics(dict(reversed(weights.items()))) == found
