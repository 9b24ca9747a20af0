"""TF32 of products and convolutions."""

import pytest

from data.float_precision import _convolutions_use_it, tf32


def switches() -> tuple[str, bool]:
    import torch

    return torch.get_float32_matmul_precision(), _convolutions_use_it()


@pytest.mark.parametrize(("allowed", "products"), [(True, "high"), (False, "highest")])
def test_products_and_convolutions_follow_and_are_put_back(allowed: bool, products: str) -> None:
    before = switches()
    with tf32(allowed):
        assert switches() == (products, allowed)
        with tf32(not allowed):
            assert switches()[1] is not allowed
        assert switches() == (products, allowed)
    assert switches() == before
