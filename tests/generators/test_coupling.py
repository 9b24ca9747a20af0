"""Pairs of noise and images: optimal ones, torchcfm's, and its use of numpy's generator."""

from itertools import permutations

import numpy as np
import pytest
import torch

from generators.coupling import assignment, couple, torchcfm_pairs


def batch(num: int, *, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((num, 3, 4, 4), generator=generator)
    return noise, torch.rand((num, 3, 4, 4), generator=generator)


def cost(noise: torch.Tensor, images: torch.Tensor) -> float:
    return float((noise.double() - images.double()).square().sum())


@pytest.mark.parametrize("seed", range(10))
def test_the_assignment_is_the_best_of_all_bijections(seed: int) -> None:
    noise, images = batch(6, seed=seed)
    chosen = assignment(noise, images)
    assert sorted(chosen.tolist()) == list(range(6))
    best = min(cost(noise, images[list(order)]) for order in permutations(range(6)))
    assert cost(noise, images[chosen]) == pytest.approx(best, rel=1e-12)


def test_the_assignment_costs_what_the_plan_of_torchcfm_costs() -> None:
    from torchcfm.optimal_transport import OTPlanSampler

    noise, images = batch(32, seed=0)
    plan = OTPlanSampler(method="exact").get_map(noise, images)
    squares = torch.cdist(noise.flatten(1).double(), images.flatten(1).double()).square().numpy()
    paired = noise, images[assignment(noise, images)]
    assert cost(*paired) / 32 == pytest.approx(float((plan * squares).sum()), rel=1e-5)


def test_pairs_of_torchcfm_are_pairs_of_its_plan() -> None:
    noise, images = batch(16, seed=1)
    chosen = assignment(noise, images)
    plan = {(i, int(j)) for i, j in enumerate(chosen)}
    for first, second in zip(*torchcfm_pairs(noise, images, seed=3), strict=True):
        i = int((noise == first).flatten(1).all(dim=1).nonzero())
        j = int((images == second).flatten(1).all(dim=1).nonzero())
        assert (i, j) in plan


def test_torchcfm_is_decided_by_the_seed_and_leaves_numpys_generator_alone() -> None:
    noise, images = batch(16, seed=1)
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    first = torchcfm_pairs(noise, images, seed=3)
    after = np.random.get_state()  # noqa: NPY002
    assert str(before) == str(after)
    np.random.seed(6)  # noqa: NPY002
    again, other = (torchcfm_pairs(noise, images, seed=seed) for seed in (3, 4))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_numpys_generator_is_put_back_when_the_solver_fails() -> None:
    before = np.random.get_state()  # noqa: NPY002
    with pytest.raises(RuntimeError, match="same number of columns"):
        torchcfm_pairs(torch.zeros(2, 3), torch.zeros(2, 4), seed=0)
    assert str(before) == str(np.random.get_state())  # noqa: NPY002


def test_independent_pairs_are_as_they_came() -> None:
    noise, images = batch(5, seed=2)
    pairs = couple(noise, images, "independent", seed=0)
    assert pairs[0] is noise and pairs[1] is images
