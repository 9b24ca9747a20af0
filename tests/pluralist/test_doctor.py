"""What `doctor` says of the packages and devices that images and texts need."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data import numerics
from data.installation import INSTALL, install
from data.numerics import NOT_INSTALLED, library_version
from pluralist import extras
from pluralist.finding import FAILED, GOOD, WARNING, Finding
from tests.pluralist.conftest import Cli


def absent(patch: pytest.MonkeyPatch, *names: str) -> None:
    def version(name: str) -> str:
        return NOT_INSTALLED if name in names else numerics.library_version(name)

    patch.setattr(extras, "library_version", version)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with an NVIDIA driver."""
    monkeypatch.setattr(extras, "has_driver", lambda: True)
    return monkeypatch


def gpus(patch: pytest.MonkeyPatch, *found: tuple[str, int]) -> None:
    import torch

    facts = [SimpleNamespace(name=name, total_memory=size) for name, size in found]
    patch.setattr(torch.cuda, "is_available", lambda: bool(facts))
    patch.setattr(torch.cuda, "device_count", lambda: len(facts))
    patch.setattr(torch.cuda, "get_device_properties", lambda index: facts[index])


def test_packages_are_said_with_their_versions() -> None:
    found = {finding.subject: finding for finding in extras.packages()}
    assert found["torch"] == Finding(GOOD, "torch", library_version("torch"))
    assert {"torchcfm", "transformers"} <= found.keys()


def test_a_package_that_is_missing_is_said_with_its_use_and_the_command(
    cli: Cli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent(monkeypatch, "torch", "torchcfm")
    assert cli("doctor", "--json") == 0, "the plain installation is a sound one"
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["data"]
    found = {row["subject"]: row for row in rows}
    assert found["torchcfm"] == {
        "status": GOOD,
        "subject": "torchcfm",
        "found": "not installed: needed for domain cifar10",
        "advice": install("images"),
    }
    assert found["torch"]["advice"] == INSTALL, "either extra has it"
    assert found["CUDA"]["found"] == "not asked for: torch is not installed"


def test_torch_is_not_asked_where_there_is_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "DRIVER", Path("/no/driver"))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setitem(sys.modules, "torch", None)
    (finding,) = extras.cuda_devices()
    assert (finding.status, finding.found[:16]) == (GOOD, "no NVIDIA driver")


def test_every_gpu_is_said_with_its_memory(driver: pytest.MonkeyPatch) -> None:
    gpus(driver, ("Large", 80_000_000_000), ("Small", 8_400_000_000))
    assert extras.cuda_devices() == [
        Finding(GOOD, "CUDA 0", "Large, 80.0 GB"),
        Finding(GOOD, "CUDA 1", "Small, 8.4 GB"),
    ]


def test_a_driver_without_a_device_for_torch_is_a_warning(driver: pytest.MonkeyPatch) -> None:
    gpus(driver)
    (finding,) = extras.cuda_devices()
    assert finding.status == WARNING
    assert "no device for torch" in finding.found
    assert "CUDA_VISIBLE_DEVICES" in str(finding.advice)


def test_a_torch_that_does_not_load_will_not_work(driver: pytest.MonkeyPatch) -> None:
    driver.setitem(sys.modules, "torch", None)
    (finding,) = extras.cuda_devices()
    assert (finding.status, finding.advice) == (FAILED, INSTALL)
    assert "torch: expected it to be importable" in finding.found
