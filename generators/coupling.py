"""Which noise goes to which image of a batch; n pairs.

Optimal couplings minimise the sum of squared distances.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

Pairs = tuple["torch.Tensor", "torch.Tensor"]


def couple(
    noise: "torch.Tensor",  # (n, ...), on the CPU
    images: "torch.Tensor",  # (n, ...)
    coupling: str,
    *,
    seed: int,
) -> Pairs:
    """Pairs (noise, image) under the coupling of that name; `seed` matters to torchcfm's alone."""
    if coupling == "torchcfm":
        return torchcfm_pairs(noise, images, seed=seed)
    if coupling == "assignment":
        return noise, images[assignment(noise, images)]
    assert coupling == "independent"
    return noise, images


def assignment(
    noise: "torch.Tensor",  # (n, ...)
    images: "torch.Tensor",  # (n, ...)
) -> "torch.Tensor":  # (n,), int64
    """The image of each noise under the optimal bijection.

    The squares in |x - y|^2 = |x|^2 + |y|^2 - 2 x.y add up to the same under every bijection,
    so the one with the largest sum of products is the optimum.
    """
    import torch
    from scipy.optimize import linear_sum_assignment

    products = noise.flatten(1) @ images.flatten(1).T
    return torch.from_numpy(linear_sum_assignment(products.numpy(), maximize=True)[1])


def torchcfm_pairs(
    noise: "torch.Tensor",  # (n, ...)
    images: "torch.Tensor",  # (n, ...)
    *,
    seed: int,
) -> Pairs:
    """n pairs drawn with replacement from the optimal plan, by torchcfm's own sampler."""
    from torchcfm.optimal_transport import OTPlanSampler

    with _global_numpy(seed):
        pairs: Pairs = OTPlanSampler(method="exact").sample_plan(noise, images)
    return pairs


@contextmanager
def _global_numpy(seed: int) -> Iterator[None]:
    """numpy's global generator, which torchcfm draws from, seeded inside and put back after."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
