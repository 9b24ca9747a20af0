from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import EnvironmentProblem
from data.foreign_tensors import read_foreign, read_tensors

PAGE = b"<!DOCTYPE html><html><head><title>Page not found</title></head></html>"


class Intruder:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def test_a_state_dict_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(3)}, tmp_path / "a.pt")
    read = read_tensors(tmp_path / "a.pt", "reward", "fetch it")
    assert read.keys() == {"weight"} and torch.equal(read["weight"], torch.arange(3))
    torch.save({"step": 3}, tmp_path / "b.pt")
    assert read_foreign(tmp_path / "b.pt", "reward", "fetch it") == {"step": 3}


@pytest.mark.parametrize("content", [PAGE, b"", b"\x80\x04.", b"version https://git-lfs\n"])
def test_a_file_of_anything_else_is_named_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    text = r"reward: expected tensors .* in .*a.pt, got a file that torch refuses .*; fetch it$"
    with pytest.raises(EnvironmentProblem, match=text):
        read_tensors(tmp_path / "a.pt", "reward", "fetch it")


def test_a_file_that_would_run_code_is_refused_before_it_does(tmp_path: Path) -> None:
    torch.save({"weight": Intruder(tmp_path / "executed")}, tmp_path / "a.pt")
    with pytest.raises(EnvironmentProblem, match="torch refuses to read safely"):
        read_foreign(tmp_path / "a.pt", "reward", "fetch it")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(2)])
def test_other_values_are_no_state_dict(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(EnvironmentProblem, match="expected a state dict of tensors in .*, got"):
        read_tensors(tmp_path / "a.pt", "reward", "fetch it")
