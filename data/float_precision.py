"""Whether single precision may be computed as TF32 on a GPU: products and convolutions alike.

torch lets convolutions use it by default, which no configuration would have asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Allow TF32 inside, or full single precision only; put back afterwards."""
    import torch

    products, convolutions = torch.get_float32_matmul_precision(), _convolutions_use_it()
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    _let_convolutions(allowed)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        _let_convolutions(convolutions)


def _convolutions_use_it() -> bool:
    import torch

    new = getattr(torch.backends.cudnn, "conv", None)
    if new is not None:
        return bool(new.fp32_precision == "tf32")
    return bool(torch.backends.cudnn.allow_tf32)


def _let_convolutions(allowed: bool) -> None:
    import torch

    new: Any = getattr(torch.backends.cudnn, "conv", None)
    if new is not None:  # since torch 2.9, where the old name warns
        new.fp32_precision = "tf32" if allowed else "ieee"
    else:
        torch.backends.cudnn.allow_tf32 = allowed
