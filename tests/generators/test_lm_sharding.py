"""What a model is split by, and what is left of it; training so is in test_lm_processes."""

from typing import Any

import pytest
import torch

from data.errors import ConfigError
from generators.lm_sharding import blocks_of, check_sharding, shard
from tests.data.test_sharded_tensors import process
from tests.generators.tiny_lms import tiny_gpt2, tiny_qwen2

MODELS = pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])


@MODELS
def test_a_model_is_split_by_its_blocks(make: Any) -> None:
    model = make()
    check_sharding(model)
    inside = model.base_model
    layers = list(inside.h if hasattr(inside, "h") else inside.layers)
    assert blocks_of(model) == layers[::-1]


def test_a_model_without_known_blocks_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"blocks transformers names.* got Linear; set generator"):
        check_sharding(torch.nn.Linear(2, 2))


@MODELS
def test_each_process_keeps_its_part_of_every_weight(make: Any) -> None:
    sizes = {name: weight.numel() for name, weight in make().named_parameters()}
    parts = dict.fromkeys(sizes, 0)
    for rank in range(2):
        with process(rank, 2):
            model = make()
            shard(model, "cpu", number=2)
            for name, weight in model.named_parameters():
                assert weight.to_local().numel() == pytest.approx(sizes[name] / 2, abs=8)
                parts[name] += weight.to_local().numel()
    assert parts == sizes
