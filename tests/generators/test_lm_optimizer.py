"""The learning rate against transformers' schedules, and what decays."""

from typing import Any

import pytest
import torch

from generators.causal_lm_config import FineTuning
from generators.lm_optimizer import learning_rate, make_optimizer
from tests.generators.tiny_lms import tiny_gpt2


@pytest.mark.parametrize("warm_up", [0, 4])
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_the_learning_rate_is_that_of_transformers(schedule: Any, warm_up: int) -> None:
    from transformers import get_scheduler

    tuning = FineTuning(learning_rate=0.3, schedule=schedule, warm_up=warm_up)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    name = "constant_with_warmup" if schedule == "constant" else schedule
    theirs = get_scheduler(name, optimizer, num_warmup_steps=warm_up, num_training_steps=10)
    for step in range(10):
        assert learning_rate(tuning, step, 10) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


def test_the_learning_rate_at_known_steps() -> None:
    def rates(**given: Any) -> list[float]:
        tuning = FineTuning(learning_rate=1.0, **given)
        return [learning_rate(tuning, step, 8) for step in (0, 2, 4, 6)]

    assert rates() == [1.0, 1.0, 1.0, 1.0]
    assert rates(warm_up=4) == [0.0, 0.5, 1.0, 1.0]
    assert rates(schedule="linear", warm_up=4) == [0.0, 0.5, 1.0, 0.5]
    assert rates(schedule="linear") == [1.0, 0.75, 0.5, 0.25]
    assert rates(schedule="cosine")[::2] == pytest.approx([1.0, 0.5])


def test_matrices_decay_and_biases_and_norms_do_not() -> None:
    model = tiny_gpt2()
    optimizer = make_optimizer(model.parameters(), FineTuning(weight_decay=0.1))
    decay = {
        id(weight): group["weight_decay"]
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    for name, weight in model.named_parameters():
        plain = name.endswith("bias") or ".ln_" in name
        assert decay[id(weight)] == (0.0 if plain else 0.1), name


def test_the_decay_is_apart_from_the_gradient() -> None:
    weights = [torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))]
    optimizer = make_optimizer(weights, FineTuning(learning_rate=0.1, weight_decay=0.5))
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    torch.testing.assert_close(weights[0].detach(), torch.full((2, 2), 1 - 0.1 * 0.5))
    assert torch.equal(weights[1].detach(), torch.ones(2))
