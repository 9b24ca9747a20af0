"""Odd damage and odd places: the right message, and a way out that works."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]


def test_a_missing_manifest_in_the_middle_is_reported_listed_and_made_again(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "store/runs/first/iteration-0001/select/manifest.json").unlink()
    assert smoke("verify", "first") == 5
    assert "since iteration-0001/retrain was made from it, found none" in capsys.readouterr().err
    assert smoke("ls") == 0
    assert "stopped" in capsys.readouterr().out
    assert smoke("resume", "--no-prefect") == 0
    assert smoke("verify", "first") == 0


@pytest.mark.parametrize("content", ["{}", "[]", '{"schema_versioN": 1}', "x"])
def test_a_store_record_that_is_none_ends_with_code_5(
    smoke: Cli, capsys: Capture, tmp_path: Path, content: str
) -> None:
    (tmp_path / "store/store.json").write_text(content)
    assert smoke("run", "gmm", "--preset", "smoke", "--no-prefect") == 5
    assert 'store.json: expected {"schema_version": 1}, found' in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{}", "[]", "null"])
def test_a_manifest_that_is_none_is_damage_everywhere(
    smoke: Cli, capsys: Capture, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "store/runs/first/iteration-0001/select/manifest.json"
    path.write_text(content)
    assert smoke("ls", "--json") == 0
    assert '"state": "damaged"' in capsys.readouterr().out
    for call in (("show", "first", "--json"), ("verify", "first"), ("resume", "first")):
        assert smoke(*call, *(["--no-prefect"] if call[0] == "resume" else [])) == 5
        assert "manifest.json: expected a" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{}", "[]", "x", '{"host": "here"}'])
def test_a_strange_lock_record_means_no_holder(
    smoke: Cli, capsys: Capture, tmp_path: Path, content: str
) -> None:
    (tmp_path / "store/runs/first/lock").write_text(content)
    assert smoke("ls") == 0
    assert "complete" in capsys.readouterr().out


def test_a_file_in_the_place_of_a_folder_is_damage(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    (model,) = (tmp_path / "store/runs/first/iteration-0001/retrain").glob("attempt-*/model")
    for path in model.iterdir():
        path.unlink()
    model.rmdir()
    model.write_text("")
    for call in (("verify", "first"), ("resume", "first", "--no-prefect")):
        assert smoke(*call) == 5
        assert "found no file" in capsys.readouterr().err


def test_where_it_runs_may_change_in_place(smoke: Cli, capsys: Capture) -> None:
    call = ("run", "gmm", "--preset", "smoke", "--name", "first", "--no-prefect")
    assert smoke(*call, "--set", "runtime.granularity=run") == 0
    assert smoke("resume", "first", "--no-prefect", "--set", "runtime.granularity=iteration") == 0
    assert smoke("resume", "first", "--no-prefect", "--set", "runtime.shard_workers=2") == 0
    capsys.readouterr()


def test_a_fork_may_be_shorter(smoke: Cli, capsys: Capture) -> None:
    assert smoke("resume", "first", "--set", "iterations=2") == 2
    assert "fork it for a shorter one" in capsys.readouterr().err
    settings = ("--set", "iterations=2", "--name", "short", "--no-prefect")
    assert smoke("fork", "first", *settings) == 0


def test_a_changed_number_of_rewards_is_suggested_as_a_whole(smoke: Cli, capsys: Capture) -> None:
    reward = "{kind: quadratic, centre: [0, 0]}"
    changed = ("--set", f"rewards=[{reward}, {reward}, {reward}]")
    assert smoke("resume", "first", *changed) == 8
    message = capsys.readouterr().err
    suggestion = message.split("pluralist fork first --set ")[1].strip()
    assert suggestion.startswith("'rewards=[")
    assert suggestion.count("quadratic") == 3


def test_another_share_is_not_judged_as_e1(cli: Cli, capsys: Capture) -> None:
    assert cli("run", "gmm", "--no-prefect", "--set", "q=0.1", "--set", "iterations=2") == 0
    out = capsys.readouterr().out
    assert "E1: not judged: it is defined for" in out
    assert "moments.png" in out


def test_showing_an_iteration_of_a_group_names_its_runs(cli: Cli, capsys: Capture) -> None:
    assert cli("run", "gmm", "--no-prefect", "--set", "iterations=1", "--name", "pair") == 0
    assert cli("show", "pair", "0") == 2
    assert "expected a run, got the group 'pair' of pair-pluralistic-s0" in capsys.readouterr().err


@pytest.mark.slow  # starts processes
@pytest.mark.parametrize(
    ("shell", "code"),
    [("{command} config gmm | true", 0), ("{command} config gmm > /dev/full", 9)],
)
def test_output_that_nobody_takes_ends_without_a_traceback(shell: str, code: int) -> None:
    command = f"{sys.executable} -m tests.command_line"
    line = f"set -o pipefail; {shell.format(command=command)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
