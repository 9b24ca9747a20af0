"""Bad input for images: one clear message, the documented exit code, before hours are spent."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from data.store import Store
from flows.domain import merge
from tasks.context import RunContext
from tests.flows.image_runs import tiny
from tests.flows.tiny_experiment import tiny as tiny_experiment
from tests.pluralist.conftest import Cli
from tests.pluralist.test_reproduce_commands import put

Capture = pytest.CaptureFixture[str]
DIGITS = ("run", "cifar10", "--preset", "digits", "--no-prefect")
MINI = ("run", "cifar10", "--preset", "cpu-mini", "--no-prefect")


def yaml_file(folder: Path, changes: dict[str, Any]) -> str:
    """The path of a file with the tiny image configuration under `changes`."""
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(merge(tiny().model_dump(mode="json"), changes)))
    return str(path)


@pytest.fixture
def shared_store(image_run: RunContext, tmp_path: Path) -> Path:
    """The store of the command line, with what the finished run `tiny` shares."""
    return Path(shutil.copytree(image_run.store.root, tmp_path / "store"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("run", "cifar10", "--set", "classes=[0,11]", "--no-prefect"),
            "rewards: expected a class_index from 0 to 9 for 'class-11', got 11",
        ),
        ((*DIGITS, "--set", "classifier=null"), "rewards: expected a classifier for 'class-0'"),
        (
            (*DIGITS, "--set", "classifier.architecture=vgg11-bn"),
            "classifier vgg11-bn: expected images of 32 x 32 x 3, got 8 x 8 x 1 (digits); this is",
        ),
        (
            (*MINI, "--set", "classifier.architecture=resnet20"),
            "classifier resnet20: expected images of 32 x 32 x 3, got 16 x 16 x 3 (cifar10); this",
        ),
        (
            (*MINI, "--set", "initial.data.size=8"),
            "expected one of images of shape (8, 8, 3), as p_0 makes them (cifar10), got one of",
        ),
        (
            ("run", "gmm", "--preset", "smoke", "--set", "runtime.device=cuda"),
            "runtime.device: expected 'cpu' for generator 'mixture', which computes nothing elsew",
        ),
        (
            (*MINI, "--set", "data.origin=parquet"),
            "path: expected the folder of CIFAR-10 for origin 'parquet', got none",
        ),
        ((*MINI, "--set", "classes=zero"), "classes: expected different class numbers as a list"),
    ],
    ids=lambda value: " ".join(value)[-60:] if isinstance(value, tuple) else "",
)
def test_an_impossible_image_run_ends_with_code_2_and_makes_nothing(
    cli: Cli, arguments: tuple[str, ...], message: str, capsys: Capture, tmp_path: Path
) -> None:
    assert cli(*arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ") and "Traceback" not in captured.err
    assert captured.out == ""
    assert not (tmp_path / "store").exists()


def test_a_gpu_that_is_not_there_ends_with_code_7_and_makes_nothing(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert cli(*DIGITS, "--set", "runtime.device=cuda") == 7
    message = capsys.readouterr().err
    assert "runtime.device: expected a CUDA device for 'cuda'" in message
    assert "set runtime.device=cpu" in message
    assert message.count("warning: ") == 1, "once for both arms"
    assert not (tmp_path / "store").exists()


def test_cifar10_that_cannot_be_fetched_ends_with_code_7_and_the_command_that_fetches_it(
    cli: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    cache = tmp_path / "cache"
    assert cli(*MINI, "--set", f"data.path={cache}", "--name", "mini") == 7
    message = capsys.readouterr().err
    assert (
        "run `hf download uoft-cs/cifar10 --repo-type dataset --revision "
        f"0b2714987fa478483af9968de7c934580d0bb9a2 --cache-dir {cache}` where there is a network"
    ) in message
    assert "resume with: pluralist resume mini" in message, "once it is there"
    failure = json.loads((tmp_path / "store/runs/mini/failure.json").read_text())
    assert failure["exit_code"] == 7


def test_weights_that_are_not_there_end_with_code_7(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    weights = {"weights": str(tmp_path / "none.pt"), "weights_sha256": "0" * 64}
    path = yaml_file(tmp_path, {"classifier": weights})
    assert cli("run", path, "--no-prefect") == 7
    message = capsys.readouterr().err
    assert (
        f"expected a file at {tmp_path / 'none.pt'}, got none; no weights of it are published"
        in message
    )


def test_inception_weights_that_are_not_there_end_with_code_7_and_how_to_fetch_them(
    cli: Cli, capsys: Capture, tmp_path: Path, shared_store: Path
) -> None:
    inception = {"weights": str(tmp_path / "none.pth")}
    path = yaml_file(tmp_path, {"evaluation": {"inception": inception}})
    assert cli("run", path, "--no-prefect") == 7
    message = capsys.readouterr().err
    assert f"fetch them: curl -L --create-dirs -o '{tmp_path / 'none.pth'}' https://" in message


def test_a_checkpoint_of_another_network_ends_with_code_2(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    import hashlib

    import torch

    path = tmp_path / "lacking.pt"
    torch.save({"other.weight": torch.zeros(1)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    weights = {"weights": str(path), "weights_sha256": digest}
    assert cli("run", yaml_file(tmp_path, {"classifier": weights}), "--no-prefect") == 2
    message = capsys.readouterr().err
    assert "got missing: " in message and "unexpected: other.weight" in message
    assert "resume with" not in message, "resuming repeats it"


def test_a_loss_that_is_not_finite_ends_with_code_4(
    cli: Cli, capsys: Capture, tmp_path: Path, shared_store: Path
) -> None:
    refit = {"refit": {"learning_rate": 1e30}}
    assert cli("run", yaml_file(tmp_path, {"generator": refit}), "--no-prefect") == 4
    assert "generator ot-cfm: expected a finite loss and gradient" in capsys.readouterr().err


def test_a_reward_that_prefers_nothing_ends_with_code_4(
    cli: Cli, capsys: Capture, tmp_path: Path, shared_store: Path
) -> None:
    rewards = [{"kind": "symmetry", "gamma": 1e-320, "standardise": True}]
    assert cli("run", yaml_file(tmp_path, {"rewards": rewards}), "--no-prefect") == 4
    assert "reward 'symmetry-1': expected scores of p_0 that differ" in capsys.readouterr().err


def test_where_and_how_an_image_run_computes_may_change_when_it_is_resumed(
    cli: Cli, capsys: Capture, shared_store: Path
) -> None:
    changes = {
        "generator.refit.checkpoint_every": 5,
        "initial.pretraining.checkpoint_every": 6,
        "classifier.checkpoint_every": 3,
        "runtime.shard_workers": 2,
        "runtime.granularity": "iteration",
    }
    settings = [f"--set={path}={value}" for path, value in changes.items()]
    before = {path: path.read_bytes() for path in shared_store.rglob("manifest.json")}
    assert cli("resume", "tiny", "--no-prefect", *settings) == 0
    config = Store(shared_store).read_run("tiny").config
    assert config["generator"]["refit"]["checkpoint_every"] == 5
    assert config["runtime"]["shard_workers"] == 2
    assert {path: path.read_bytes() for path in shared_store.rglob("manifest.json")} == before
    assert cli("verify", "tiny") == 0


@pytest.mark.parametrize(
    "setting",
    ["generator.refit.num_steps=5", "gamma=1", "classifier.seed=1", "runtime.threads=2"],
)
def test_what_changes_results_may_not_change_when_it_is_resumed(
    cli: Cli, capsys: Capture, shared_store: Path, setting: str
) -> None:
    assert cli("resume", "tiny", "--no-prefect", "--set", setting) == 8
    message = capsys.readouterr().err
    assert "run 'tiny' exists with another configuration" in message
    assert "pluralist fork tiny --set" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "nonsense"), "E1: --preset: expected one of small, large, got 'nonsense'"),
        (("--set", "seed=4"), "expected only places of data and weights, and where it runs, after"),
        (("--set", "iterations=1"), "after --set, got iterations=1; an experiment keeps its sett"),
        (("--set", "q=0.1"), "`sweep` varies them"),
        (("--set", "unheard_of=1"), "unheard_of: unknown key"),
    ],
)
def test_an_experiment_at_a_scale_or_under_settings_that_it_has_not_ends_with_code_2(
    cli: Cli,
    options: tuple[str, ...],
    message: str,
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = tiny_experiment()
    presets = {"small": experiment.study, "large": experiment.study}
    put(monkeypatch, replace(experiment, presets=presets))
    assert cli("reproduce", "E1", "--no-prefect", *options) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""
    assert not (tmp_path / "store").exists()


def test_an_experiment_without_presets_says_so(
    cli: Cli, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, tiny_experiment())
    assert cli("reproduce", "E1", "--preset", "digits") == 2
    assert "E1: --preset: expected none, got 'digits'" in capsys.readouterr().err
