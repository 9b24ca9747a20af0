"""Bad input: one clear message, the documented exit code, no traceback, nothing lost."""

import shutil
from pathlib import Path

import pytest

from tests.pluralist.conftest import Cli

CASES = [
    (["--set", "foo=3"], "foo: unknown key"),
    (["--set", "selection.foo=3"], "selection.foo: unknown key"),
    (["--set", "nonsense"], "--set: expected key=value, got 'nonsense'"),
    (["--set", "seed=[1"], "--set seed: expected a YAML value"),
    (["--set", "rewards.7.weight=1"], "expected an index below 2 at '7'"),
    (
        ["--set", "rewards.0.weight=-1"],
        "weight: Input should be greater than or equal to 0, got -1",
    ),
    (
        ["--set", "rewards.0.kind=unheard-of"],
        "reward: expected one of aesthetic, armo-rm, brevity, class-probability",
    ),
    (
        ["--set", "rewards.0.weight=0", "--set", "rewards.1.weight=0"],
        "at least one positive weight",
    ),
    (["--set", "q=1.5"], "q: expected a number between 0 and 1, got 1.5"),
    (["--set", "selection.temperature=-1"], "greater than or equal to 0, got -1"),
    (["--set", "selection.temperature=.nan"], "finite number"),
    (["--set", "selection.scheme=disjoint"], "pool_size: expected a number for scheme 'disjoint'"),
    (
        ["--set", "selection.scheme=disjoint", "--set", "selection.pool_size=4000"],
        "expected at most num_candidates = 200, got 4000",
    ),
    (
        [
            *("--set", "selection.scheme=fresh", "--set", "selection.pool_size=300"),
            *("--set", "selection.replacement=false"),
        ],
        "expected at most num_candidates = 200, got 300",
    ),
    (
        ["--set", "selection.replacement=false", "--set", "selection.num_curated=201"],
        "num_curated without replacement: expected at most num_candidates = 200, got 201",
    ),
    (["--set", "rewards=null", "--set", "q=0.5"], "q: expected exactly 2 rewards to weigh"),
    (["--set", "rewards=5", "--set", "distance=2"], "expected exactly 2 rewards, got 5"),
    (["--set", "rewards.².gamma=1"], "expected an index below 2 at '²'"),
    (["--set", "q=true"], "q: expected a number between 0 and 1, got True"),
    (["--set", f"seed={10**38}"], "seed: Input should be less than or equal to"),
    (["--set", "num_candidates=1000000000000000"], "num_candidates: Input should be less than"),
    (["--set", "generator.random_state=99999999999"], "random_state: Input should be less than"),
    (
        ["--set", "selection.scheme=grouped"],
        "groups are the completions of a prompt: set `prompts`",
    ),
    (["--set", "iterations=0"], "iterations: Input should be greater than or equal to 1, got 0"),
    (["--set", "distance=far"], "distance: expected a number, got 'far'"),
    (["--name", "../x"], "name: expected 1 to 63 characters"),
    (["--name", ""], "name: expected 1 to 63 characters"),
    (["--name", "x" * 300], "(300 characters)"),
]


@pytest.mark.parametrize(("arguments", "message"), CASES, ids=[" ".join(c[0])[:60] for c in CASES])
def test_a_wrong_configuration_ends_with_code_2_and_makes_nothing(
    cli: Cli,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert cli("run", "gmm", "--preset", "smoke", "--no-prefect", *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["run", "unheard-of"],
            2,
            "domain: expected one of cifar10, density, gmm, gpt2, qwen, got 'unheard-of'",
        ),
        (["run", "gmm", "--preset", "big"], 2, "preset: expected one of paper, smoke"),
        (["run", "missing.yaml"], 2, "missing.yaml: expected a readable YAML file"),
        (["show", "nobody"], 5, "no run or group 'nobody'"),
        (["verify", "nobody"], 5, "no run or group 'nobody'"),
        (["resume", "nobody"], 5, "no run or group 'nobody'"),
        (["resume"], 2, "expected an unfinished run"),
        (["fork", "nobody"], 5, "no run or group 'nobody' in store"),
    ],
)
def test_asking_for_what_is_not_there_says_what_is(
    cli: Cli, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(*arguments) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a\n", "expected a mapping of keys, got list"),
        ("seed: 3\n", "expected a key `domain`, got seed"),
        ("a: [1\n", "expected YAML"),
        ("1: 2\n", "expected a key `domain`, got 1"),
        ("domain: gmm\npreset: [1]\n", "preset: expected one of paper, smoke"),
        ("domain: gmm\nq: 0.3\nrewards: 3\n", "expected exactly 2 rewards to weigh, got 3"),
        ("domain: gmm\nunheard_of: 1\n", "unheard_of: unknown key"),
    ],
)
def test_a_wrong_yaml_file_is_refused(
    cli: Cli, content: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(content)
    assert cli("run", str(path), "--no-prefect") == 2
    assert message in capsys.readouterr().err


def test_a_wrong_option_shows_how_the_command_is_used(
    cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli("run", "gmm", "--unheard-of") == 2
    assert "Usage: " in capsys.readouterr().err


def test_showing_an_iteration_that_is_not_there_names_the_range(
    smoke: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke("show", "first", "9") == 2
    assert "expected initial, last or a number from 0 to 2, got '9'" in capsys.readouterr().err
    assert smoke("show", "first", "1", "selekt") == 2
    assert "expected one of sample, draw, select, retrain, evaluate" in capsys.readouterr().err


def test_a_store_in_the_place_of_a_file_ends_with_code_9(
    cli: Cli, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "store").write_text("")
    assert cli("run", "gmm", "--preset", "smoke", "--no-prefect") == 9
    assert "expected a folder, found a file" in capsys.readouterr().err


def test_no_configured_prefect_server_ends_with_code_10(
    cli: Cli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.setattr("deploy.server_check.time.sleep", lambda _seconds: None)
    with temporary_settings(updates={PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert cli("run", "gmm", "--preset", "smoke") == 10
    message = capsys.readouterr().err
    assert "http://127.0.0.1:9/api: expected an answer" in message
    assert "--no-prefect" in message


def test_a_group_that_was_only_partly_created_is_completed_by_resume(
    cli: Cli, tmp_path: Path
) -> None:
    call = ("run", "gmm", "--no-prefect", "--set", "iterations=1", "--name", "pair")
    assert cli(*call) == 0
    shutil.rmtree(tmp_path / "store/runs/pair-single-s0")
    assert cli("resume", "pair", "--no-prefect") == 0
    assert (tmp_path / "store/runs/pair-single-s0/iteration-0000/evaluate/manifest.json").exists()
    assert cli(*call) == 0
