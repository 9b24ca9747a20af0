"""Import of files that torchcfm's example saved; the files are made here in its layout."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import ConfigError, EnvironmentProblem
from generators.ot_cfm_config import MlpField, UNetField
from generators.released_flow import read_released
from generators.velocity_field import make_field

SMALL = UNetField(
    channels=32, num_res_blocks=1, channel_mult=(1,), num_head_channels=32, attention_resolutions=()
)


def trained(seed: int) -> torch.nn.Module:
    return make_field(SMALL, (8, 8, 3), seed=seed)


def saved(path: Path, *, prefix: str = "", **changes: Any) -> str:
    """A file as the example writes it after two steps; its digest."""
    field, average = trained(1), trained(2)
    optimizer = torch.optim.Adam(field.parameters(), lr=2e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lambda step: min(step, 5) / 5)
    field(torch.zeros(1), torch.zeros(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    schedule.step()
    content = {
        "net_model": {prefix + name: value for name, value in field.state_dict().items()},
        "ema_model": {prefix + name: value for name, value in average.state_dict().items()},
        "sched": schedule.state_dict(),
        "optim": optimizer.state_dict(),
        "step": 2,
    }
    torch.save(content | changes, path)
    return digest(path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_averaged_weights_are_read_with_and_without_the_prefix_of_several_gpus(
    prefix: str, tmp_path: Path
) -> None:
    path = tmp_path / "flow.pt"
    sha256 = saved(path, prefix=prefix)
    weights = read_released(str(path), trained(3), part="ema_model", sha256=sha256)
    expected = dict(trained(2).named_parameters())
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    last = read_released(str(path), trained(3), part="net_model", sha256=sha256)
    assert not all(torch.equal(last[name], expected[name]) for name in expected)


def test_missing_and_unexpected_weights_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    weights = trained(2).state_dict()
    bias = weights.pop("out.2.bias")
    weights["out.9.bias"] = bias
    weights["time_embed.0.bias"] = torch.zeros(3)
    sha256 = saved(path, ema_model=weights)
    with pytest.raises(
        ConfigError,
        match=r"missing: out\.2\.bias; unexpected: out\.9\.bias; of another shape: "
        r"time_embed\.0\.bias \(3,\) for \(128,\)",
    ):
        read_released(str(path), trained(3), part="ema_model", sha256=sha256)


def test_another_field_is_told_with_a_short_list(tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    sha256 = saved(path)
    mlp = make_field(MlpField(), (8, 8, 3), seed=0)
    with pytest.raises(
        ConfigError,
        match=r"missing: .* and \d+ more; unexpected: .* and \d+ more; set generator\.field",
    ):
        read_released(str(path), mlp, part="ema_model", sha256=sha256)


def test_a_missing_file_and_another_digest_are_problems_of_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    with pytest.raises(EnvironmentProblem, match="expected a file at .*, got none; download"):
        read_released(str(path), trained(3), part="ema_model", sha256="0" * 64)
    sha256 = saved(path)
    with pytest.raises(EnvironmentProblem, match=f"expected SHA-256 0+ of .*, got {sha256}; fetch"):
        read_released(str(path), trained(3), part="ema_model", sha256="0" * 64)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(ConfigError, match="expected a dict with 'ema_model' in .*, got state_dict"):
        read_released(str(path), trained(3), part="ema_model", sha256=digest(path))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.pt"
    torch.save({"ema_model": trained(1)}, path)
    with pytest.raises(EnvironmentProblem, match="torch refuses to read safely"):
        read_released(str(path), trained(3), part="ema_model", sha256=digest(path))
