"""What p_0 of the flow asks of its generator, before anything is trained."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import ConfigError
from flows.cifar10 import cpu_mini, digits
from flows.domain import merge
from generators.ot_cfm_config import OtCfmConfig, UNetField
from generators.ot_cfm_initial import OtCfmInitial
from tasks.settings import RunConfig, parse_config


def configured(base: RunConfig, changes: dict[str, Any]) -> RunConfig:
    return parse_config(merge(base.model_dump(mode="json"), changes))


@pytest.mark.parametrize(
    ("base", "changes", "text"),
    [
        (
            digits(),
            {"generator": {"refit": {"flip": True}}},
            "generator.refit.flip: expected false for digits, got true; a mirrored digit is none",
        ),
        (
            cpu_mini(),
            {"generator": {"processes": 3}},
            "a divisor of generator.refit.batch_size 32, got 3; change one of them",
        ),
        (
            cpu_mini(),
            {"generator": {"processes": 3, "refit": {"batch_size": 33}}},
            "a divisor of initial.pretraining.batch_size 32, got 3; change one of them",
        ),
        (
            cpu_mini(),
            {"generator": {"field": {"channel_mult": [1] * 7}}},
            "a side divisible by 64 for a U-Net of 7 levels, got 16x16; shorten",
        ),
        (
            cpu_mini(),
            {"generator": {"field": {"num_head_channels": 48}}},
            "expected attention heads to divide the 64 channels of level 1, got 48",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_with_the_configuration(
    base: RunConfig, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError, match=text):
        configured(base, changes)


def test_a_batch_that_nothing_is_trained_on_need_not_be_shared() -> None:
    given = {"weights": "flow.pt", "weights_sha256": "0" * 64}
    several = {"processes": 3, "refit": {"batch_size": 33}}
    config = configured(cpu_mini(), {"initial": given, "generator": several})
    assert isinstance(config.generator, OtCfmConfig) and config.generator.processes == 3


def test_a_file_of_other_weights_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    torch.save({"ema_model": {"some.weight": torch.zeros(2)}}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    initial = OtCfmInitial(weights=str(path), weights_sha256=digest)
    with pytest.raises(ConfigError, match=r"unexpected: some\.weight; set generator\.field"):
        initial.check_weights(OtCfmConfig(field=UNetField(channels=32, num_head_channels=32)))
