"""What `auto` means on each device."""

import pytest

from generators import lm_precision
from generators.causal_lm_config import Precision
from generators.lm_precision import resolved_precision


@pytest.mark.parametrize(
    ("precision", "device", "has_bf16", "dtype"),
    [
        ("auto", "cpu", True, "float32"),
        ("auto", "cuda", True, "bfloat16"),
        ("auto", "cuda", False, "float32"),
        ("fp32", "cuda", True, "float32"),
        ("tf32", "cuda", True, "tf32"),
        ("tf32", "cpu", True, "float32"),
        ("bf16", "cpu", True, "bfloat16"),
        ("fp64", "cuda", True, "float64"),
    ],
)
def test_the_choice_follows_the_device(
    monkeypatch: pytest.MonkeyPatch, precision: Precision, device: str, has_bf16: bool, dtype: str
) -> None:
    monkeypatch.setattr(lm_precision, "gpu_computes_bf16", lambda: has_bf16)
    assert resolved_precision(precision, device) == {"dtype": dtype}
