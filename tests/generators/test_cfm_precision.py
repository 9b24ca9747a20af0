"""What `auto` means on each device."""

from typing import Any

import pytest
import torch

from generators.cfm_precision import laid_out, resolved_precision
from generators.ot_cfm_config import MlpField, OtCfmConfig, UNetField
from generators.velocity_field import make_field


@pytest.mark.parametrize(
    ("given", "device", "dtype", "channels_last", "compiled"),
    [
        ({}, "cpu", "float32", False, False),
        ({}, "cuda", "tf32", True, False),
        ({"precision": "tf32"}, "cpu", "float32", False, False),
        ({"precision": "fp32", "channels_last": "off"}, "cuda", "float32", False, False),
        ({"precision": "bf16", "compile": "on"}, "cuda", "bfloat16", True, True),
        ({"channels_last": "on"}, "cpu", "float32", True, False),
        ({"field": MlpField()}, "cuda", "tf32", False, False),
    ],
)
def test_the_choice_follows_the_device(
    given: dict[str, Any], device: str, dtype: str, channels_last: bool, compiled: bool
) -> None:
    expected = {"dtype": dtype, "channels_last": channels_last, "compiled": compiled}
    assert resolved_precision(OtCfmConfig(**given), device) == expected


def test_the_layout_is_that_of_the_weights() -> None:
    field = make_field(
        UNetField(channels=32, num_res_blocks=1, channel_mult=(1,), num_head_channels=32),
        (8, 8, 3),
        seed=0,
    )
    precision = resolved_precision(OtCfmConfig(channels_last="on"), "cpu")
    weights = list(laid_out(field, precision, "cpu").parameters())
    wide = [weight for weight in weights if weight.dim() == 4 and weight.shape[2] == 3]
    assert wide and all(one.is_contiguous(memory_format=torch.channels_last) for one in wide)
