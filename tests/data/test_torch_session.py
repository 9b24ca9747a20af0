import sys

import pytest

from data.compute import Compute
from data.errors import EnvironmentProblem
from data.installation import INSTALL
from data.torch_session import check_device, check_torch, torch_session


def test_a_torch_that_cannot_be_imported_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for ask in (check_torch, lambda: check_device("cuda"), _compute):
        with pytest.raises(EnvironmentProblem, match="torch: expected it to be importable") as one:
            ask()
        assert str(one.value).endswith(f"run `{INSTALL}`")


def _compute() -> None:
    with torch_session(Compute()):
        raise AssertionError("computed without torch")
