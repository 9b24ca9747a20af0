"""Number formats of models that are not trained, and what a lack of memory says."""

import pytest
import torch

from data.errors import StageFailed
from generators.lm_evaluation import evaluating_in, fitting_into_memory, weights_dtype


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        ("float32", torch.float32),
        ("tf32", torch.float32),
        ("bfloat16", torch.bfloat16),
        ("float64", torch.float64),
    ],
)
def test_weights_are_held_in_what_is_computed(dtype: str, kept: torch.dtype) -> None:
    assert weights_dtype({"dtype": dtype}) is kept


def test_nothing_is_recorded_for_gradients() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    with evaluating_in({"dtype": "float32"}, "cpu"):
        assert not (weight * 2).requires_grad
    assert (weight * 2).requires_grad


@pytest.mark.parametrize("error", [MemoryError("no"), torch.OutOfMemoryError("CUDA. GPU 0")])
def test_a_lack_of_memory_names_the_setting(error: Exception) -> None:
    text = r"then resume; or fork with a lower this\.size"
    with pytest.raises(StageFailed, match=text), fitting_into_memory("this.size"):
        raise error


def test_a_lack_of_memory_on_the_cpu_is_recognised() -> None:
    text = "generator causal-lm: expected the work to fit into memory, it did not"
    with pytest.raises(StageFailed, match=text), fitting_into_memory("this.size"):
        torch.empty(2**60)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), fitting_into_memory("this.size"):
        raise RuntimeError("shapes differ")
