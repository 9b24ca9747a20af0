"""Every documented exit code, from the ending that causes it."""

import re
from pathlib import Path

import pytest

from data import errors
from pluralist import run_commands
from tasks.places import STAGE_VERSIONS
from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]
DOCUMENTED = Path(__file__).parents[2] / "docs" / "exit-codes.md"
ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, errors.PluralistError)
    and kind is not errors.PluralistError
]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_becomes_its_documented_code(
    cli: Cli, kind: type[errors.PluralistError], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise kind("expected this, got that; do something")

    monkeypatch.setattr(run_commands, "execute", fail)
    code = cli("run", "gmm", "--preset", "smoke", "--no-prefect")
    assert code == kind.exit_code
    assert capsys.readouterr().err == "error: expected this, got that; do something\n"
    assert re.search(rf"^\| {code} \|", DOCUMENTED.read_text(), re.MULTILINE)


def test_a_bug_of_ours_keeps_its_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise AssertionError("impossible")

    monkeypatch.setattr(run_commands, "execute", fail)
    with pytest.raises(AssertionError, match="impossible"):
        cli("run", "gmm", "--preset", "smoke", "--no-prefect")


def test_infinite_scores_end_with_code_4(cli: Cli, capsys: Capture) -> None:
    far = ("--set", "rewards.0.centre=[1.0e+200, 0]")
    assert cli("run", "gmm", "--preset", "smoke", "--no-prefect", "--name", "far", *far) == 4
    message = capsys.readouterr().err
    assert "reward 'quadratic-1': expected finite scores, got -inf for row 0" in message
    assert cli("ls") == 0
    assert "failed" in capsys.readouterr().out


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "flipped bit":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1 :])
    else:
        path.write_bytes(content[:-7])


@pytest.mark.parametrize("how", ["flipped bit", "truncated"])
@pytest.mark.parametrize(
    ("stage", "file"),
    [
        ("sample", "candidates.parquet"),
        ("retrain", "model.safetensors"),
        ("evaluate", "metrics.parquet"),
        ("select", "manifest.json"),
    ],
)
def test_a_damaged_file_is_reported_by_verify_show_and_resume(
    smoke: Cli, stage: str, file: str, how: str, capsys: Capture, tmp_path: Path
) -> None:
    path = next((tmp_path / "store/runs/first/iteration-0001" / stage).rglob(file))
    damage(path, how)
    for call in (
        ("verify", "first"),
        ("show", "first", "1", stage),
        ("resume", "first", "--no-prefect"),
    ):
        assert smoke(*call) == 5, call
        message = capsys.readouterr().err
        assert file in message
        assert "expected" in message
        assert "found" in message
        assert "Traceback" not in message
    assert smoke("verify", "first", "--quarantine") == 5
    assert "set aside" in capsys.readouterr().err
    assert smoke("resume", "first", "--no-prefect") == 0
    assert smoke("verify", "first") == 0


def test_a_damaged_run_record_is_reported(smoke: Cli, capsys: Capture, tmp_path: Path) -> None:
    damage(tmp_path / "store/runs/first/run.json", "flipped bit")
    for call in (("verify", "first"), ("show", "first"), ("resume", "first", "--no-prefect")):
        assert smoke(*call) == 5
        assert "run.json" in capsys.readouterr().err
    assert smoke("ls") == 0
    assert "damaged" in capsys.readouterr().out


def test_a_changed_configuration_ends_with_code_8_and_the_fork_works(
    smoke: Cli, capsys: Capture
) -> None:
    changed = ("--set", "evaluation.num_samples=50")
    call = ("run", "gmm", "--preset", "smoke", "--name", "first", "--no-prefect", *changed)
    for refused in (call, ("resume", "first", "--no-prefect", *changed)):
        assert smoke(*refused) == 8
        message = capsys.readouterr().err
        assert "evaluation.num_samples: 200 -> 50" in message
        assert "pluralist fork first --set evaluation.num_samples=50" in message
    assert smoke("fork", "first", "--no-prefect", "--name", "forked", *changed) == 0
    assert "forked: forked from first" in capsys.readouterr().err


def test_a_claim_that_does_not_hold_ends_with_0_or_under_strict_with_11(
    cli: Cli, capsys: Capture
) -> None:
    # Three rounds of one component: the weights cannot lie between .25 and .75.
    call = ("run", "gmm", "--no-prefect", "--set", "iterations=3")
    assert cli(*call) == 0
    assert "E1: void" in capsys.readouterr().out
    assert cli(*call, "--strict") == 11
    assert "E1 void, and --strict was given" in capsys.readouterr().err


def test_a_pool_larger_than_the_candidates_is_allowed_with_a_warning(
    cli: Cli, capsys: Capture
) -> None:
    pool = ("--set", "selection.scheme=fresh", "--set", "selection.pool_size=300")
    assert cli("run", "gmm", "--preset", "smoke", "--no-prefect", *pool) == 0
    assert "warning: pool_size 300 exceeds num_candidates 200" in capsys.readouterr().err


def test_a_run_of_the_release_before_goes_on_by_the_command_that_resume_names(
    cli: Cli, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setitem(STAGE_VERSIONS, "evaluate", 1)
        assert cli("run", "gmm", "--preset", "smoke", "--name", "old", "--no-prefect") == 0
    capsys.readouterr()
    assert cli("resume", "old", "--no-prefect") == 8
    named = capsys.readouterr().err
    assert "pluralist fork old --store" in named
    assert "resume with" not in named
    assert cli("fork", "old", "--no-prefect") == 0
    assert "forked from old" in capsys.readouterr().err
    assert cli("fork", "old", "--no-prefect", "--name", "again") == 0


def test_a_sweep_of_the_release_before_is_forked_whole_and_unchanged(
    cli: Cli, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = ("sweep", "gmm", "--preset", "smoke", "--over", "seed=0..1", "--no-prefect")
    with monkeypatch.context() as before:
        before.setitem(STAGE_VERSIONS, "evaluate", 1)
        # Written down only: workers are other processes, which would be of this release.
        before.setattr("pluralist.sweep_commands.finish_sweep", lambda *_, **__: None)
        assert cli(*sweep, "--name", "old") == 0
        assert cli("run", "gmm", "--preset", "smoke", "--name", "old-s0", "--no-prefect") == 0
    assert cli("fork", "old", "--no-prefect", "--set", "q=0.4") == 2
    assert "whose axes say what its members are" in capsys.readouterr().err
    assert cli("fork", "old", "--no-prefect", "--name", "new") == 0
    assert "new-s0: forked from old-s0" in capsys.readouterr().err


def test_a_plan_passes_over_a_damaged_run_that_it_does_not_concern(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    run = ("run", "gmm", "--preset", "smoke", "--no-prefect", "--set", "seed=7")
    assert smoke(*run, "--name", "other") == 0
    damage(tmp_path / "store/runs/other/run.json", "flipped bit")
    capsys.readouterr()
    assert smoke("plan", "gmm", "--preset", "smoke", "--set", "seed=9") == 0
    shown = capsys.readouterr()
    assert "total    unknown" not in shown.out, "the intact run has the times"
    assert shown.err.count("other: nothing to learn from: ") == 1
    assert "run.json" in shown.err
    assert smoke("plan", "other") == 5, "its own record it does need"


def test_resuming_is_not_offered_for_what_it_cannot_mend(
    cli: Cli, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    error: errors.PluralistError = errors.ConfigError("impossible")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("flows.retrain.retrain_here", fail)
    run = ("run", "gmm", "--preset", "smoke", "--name", "first", "--no-prefect")
    assert cli(*run) == 2
    assert "resume with" not in capsys.readouterr().err
    error = errors.StageFailed("later perhaps")
    assert cli(*run) == 3
    assert "resume with: pluralist resume first --store" in capsys.readouterr().err


@pytest.mark.parametrize("noise", ["1e308", "1e300"])
def test_noise_too_large_for_numbers_ends_with_one_message(
    cli: Cli, capsys: Capture, noise: str
) -> None:
    run = ("run", "gmm", "--preset", "smoke", "--no-prefect", "--set", "iterations=2")
    code = cli(*run, "--set", f"selection.score_noise={noise}")
    message = capsys.readouterr().err
    assert "Warning" not in message
    assert "Traceback" not in message
    assert code == (4 if noise == "1e308" else 0), message


def test_what_a_generator_cannot_do_is_refused_before_anything_is_created(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    run = ("run", "gmm", "--preset", "smoke", "--no-prefect")
    assert cli(*run, "--set", "selection.scheme=expected") == 2
    assert "expected a generator with a finite support" in capsys.readouterr().err
    assert cli(*run, "--set", "distance=-1") == 2
    assert "distance: expected a number of at least 0" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_showing_a_run_leaves_out_what_is_not_set(smoke: Cli, capsys: Capture) -> None:
    assert smoke("show", "first") == 0
    out = capsys.readouterr().out
    assert re.search(r"^state +complete$", out, re.MULTILINE)
    for word in ("None", "{}", "group", "axes", "marked", "forked_from"):
        assert word not in out
    changed = ("--set", "evaluation.num_samples=50", "--no-prefect", "--name", "child")
    assert smoke("fork", "first", *changed) == 0
    capsys.readouterr()
    assert smoke("show", "child") == 0
    assert re.search(r"^forked_from +first$", capsys.readouterr().out, re.MULTILINE)
