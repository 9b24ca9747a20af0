"""The two files of a saved model."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import ConfigError
from data.model_folder import read_model, write_model

TENSORS = {"b": np.arange(3.0), "a": np.ones((2, 2), np.float32), "steps": np.array(7)}


def test_tensors_keep_their_types_and_facts_their_values(tmp_path: Path) -> None:
    write_model(tmp_path, TENSORS, kind="lens", focus=0.5)
    tensors, facts = read_model(tmp_path, "lens")
    assert facts == {"kind": "lens", "focus": 0.5}
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert tensors[name].dtype == value.dtype
        np.testing.assert_array_equal(tensors[name], value)


def test_equal_models_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, tensors in zip(folders, (TENSORS, dict(reversed(TENSORS.items()))), strict=True):
        folder.mkdir()
        write_model(folder, tensors, kind="lens")
    for name in ("model.safetensors", "config.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path, TENSORS, kind="lens")
    with pytest.raises(ConfigError, match=r"generator mirror: expected a model of kind 'mirror'"):
        read_model(tmp_path, "mirror")
    with pytest.raises(ConfigError, match=r"^classifier mirror: expected.* got 'lens'; load it"):
        read_model(tmp_path, "mirror", noun="classifier")
