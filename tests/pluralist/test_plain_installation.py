"""A plain installation has no torch: it configures and plans runs of images, and starts none."""

from pathlib import Path

import pytest

from data import installation
from data.installation import install
from data.numerics import NOT_INSTALLED, library_version
from tests.pluralist.conftest import Cli

EXTRA = ("POT", "torch", "torchcfm", "torchdiffeq", "torchvision", "transformers", "torch-fidelity")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were not installed."""

    def version(name: str) -> str:
        return NOT_INSTALLED if name in EXTRA else library_version(name)

    monkeypatch.setattr(installation, "library_version", version)


@pytest.mark.parametrize("preset", ["digits", "paper"])
def test_a_run_of_images_ends_with_code_7_and_makes_nothing(
    cli: Cli, preset: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli("run", "cifar10", "--preset", preset, "--no-prefect") == 7
    message = capsys.readouterr().err
    assert "\nerror: generator 'ot-cfm': expected POT, scipy, torch, " in message
    assert f"run `{install('images')}`" in message
    assert "Traceback" not in message
    assert not (tmp_path / "store").exists()


def test_configuration_and_plan_of_images_need_no_torch(cli: Cli) -> None:
    assert cli("config", "cifar10", "--preset", "digits") == 0
    assert cli("plan", "cifar10", "--preset", "digits") == 0
