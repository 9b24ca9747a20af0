from pathlib import Path

import pytest
import torch

from data.errors import EnvironmentProblem
from rewards.linear_head import STACK, linear_head
from rewards.tiny_models import random_weights, stack_shapes

SOURCE = Path("head.pth")


def test_one_layer_is_a_weighted_sum() -> None:
    state = {"weight": torch.tensor([[1.0, -2.0]]), "bias": torch.tensor([0.5])}
    score = linear_head(state, ("",), source=SOURCE, device="cpu")
    torch.testing.assert_close(score(torch.tensor([[3.0, 1.0]])), torch.tensor([1.5]))


def test_five_layers_are_one_matrix_because_nothing_bends_between_them() -> None:
    state = random_weights(stack_shapes(6), seed=1)
    score = linear_head(state, STACK, source=SOURCE, device="cpu")
    zero, units = torch.zeros(1, 6), torch.eye(6)
    slopes = score(units) - score(zero)
    point = torch.randn(1, 6, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(score(point), point @ slopes + score(zero))


def test_other_names_are_refused() -> None:
    state = {"predictor.weight": torch.ones(1, 2)}
    with pytest.raises(EnvironmentProblem, match="weights weight, bias, got predictor.weight; use"):
        linear_head(state, ("",), source=SOURCE, device="cpu")


def test_layers_that_do_not_follow_each_other_are_refused() -> None:
    state = random_weights(stack_shapes(6), seed=1)
    state["layers.2.weight"] = torch.ones(8, 5)
    with pytest.raises(EnvironmentProblem, match="expected layers that end in one number, got"):
        linear_head(state, STACK, source=SOURCE, device="cpu")
    two = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    with pytest.raises(EnvironmentProblem, match="expected layers that end in one number, got"):
        linear_head(two, ("",), source=SOURCE, device="cpu")
