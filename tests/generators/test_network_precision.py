"""Where weights lie and what products are computed in."""

import pytest
import torch

from generators.network_precision import computing_in, gpu_computes_bf16, in_precision


@pytest.mark.parametrize(("autocast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_is_computed_in_only_where_it_is_wanted(
    autocast: bool, dtype: torch.dtype
) -> None:
    matrix = torch.eye(4)
    with computing_in({"dtype": "bfloat16"}, "cpu", autocast=autocast):
        assert (matrix @ matrix).dtype == dtype


@pytest.mark.parametrize("keep", [False, True])
def test_rounded_weights_are_kept_only_where_that_is_wanted(keep: bool) -> None:
    layer, seen = torch.nn.Linear(4, 4, bias=False), list[int]()

    def look(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype == torch.bfloat16 and tensor.shape == (4, 4):
            seen.append(tensor.data_ptr())
        return tensor

    with (
        computing_in({"dtype": "bfloat16"}, "cpu", autocast=True, keep_rounded=keep),
        torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor),
    ):
        results = [layer(torch.ones(1, 4, requires_grad=True)) for _ in range(2)]
    assert len(results) == 2 and len(seen) == 2
    assert len(set(seen)) == (1 if keep else 2)


@pytest.mark.parametrize(
    ("dtype", "weights"),
    [
        ("float32", torch.float32),
        ("bfloat16", torch.float32),
        ("tf32", torch.float32),
        ("float64", torch.float64),
    ],
)
def test_weights_are_never_kept_in_less_than_single_precision(
    dtype: str, weights: torch.dtype
) -> None:
    model = in_precision(torch.nn.Linear(2, 2).bfloat16(), {"dtype": dtype}, "cpu")
    assert {weight.dtype for weight in model.parameters()} == {weights}


def test_a_plan_without_a_gpu_expects_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_computes_bf16()
