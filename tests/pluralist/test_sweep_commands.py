"""The command `sweep`, and the other commands on its group."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]
SMALL = (
    "--preset", "smoke", "--set", "iterations=1", "--set", "num_candidates=50",
    "--set", "selection.num_curated=50", "--set", "evaluation.num_samples=40",
)  # fmt: skip
SWEEP = ("sweep", "gmm", *SMALL, "--no-prefect", "--name", "swept", "--over", "q=0.1,0.5")


def data(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


@pytest.fixture
def swept(cli: Cli, capsys: Capture) -> Cli:
    assert cli(*SWEEP, "--over", "seed=0..1") == 0
    return cli


def test_a_sweep_prints_means_over_seeds_and_where_everything_lies(
    swept: Cli, capsys: Capture, tmp_path: Path
) -> None:
    shown = capsys.readouterr()
    assert "reward_mean.quadratic-1" in shown.out and "basin_mass.quadratic-2" in shown.out
    assert "mean over seeds [95 % interval]" in shown.out
    assert "members    4 of 4 complete" in shown.out
    assert "swept: 100 % (swept-q0p" in shown.err
    results = tmp_path / "store/groups/swept/results.parquet"
    assert f"results    {results}" in shown.out
    assert set(pd.read_parquet(results)["q"]) == {0.1, 0.5}

    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("manifest.json")}
    assert swept(*SWEEP, "--over", "seed=0..1") == 0
    assert capsys.readouterr().out == shown.out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("manifest.json")} == before


def test_json_holds_the_same_means(swept: Cli, capsys: Capture) -> None:
    capsys.readouterr()
    assert swept(*SWEEP, "--over", "seed=0..1", "--json") == 0
    found = data(capsys)
    assert (found["group"], found["members"], found["complete"]) == ("swept", 4, 4)
    assert (found["by"], found["failed"]) == (["q"], [])
    rows = [row for row in found["summary"] if row["metric"] == "basin_mass.quadratic-1"]
    assert [(row["q"], row["num"]) for row in rows] == [(0.1, 2), (0.5, 2)]
    assert all(row["low"] < row["mean"] < row["high"] for row in rows)


def test_the_other_commands_take_the_group(swept: Cli, capsys: Capture) -> None:
    capsys.readouterr()
    assert swept("ls", "--json") == 0
    rows = data(capsys)
    assert [row["state"] for row in rows] == ["complete"] * 4
    assert rows[1]["axes"] == {"q": 0.1, "seed": 1}
    for command in ("show", "verify", "plan"):
        assert swept(command, "swept") == 0
    capsys.readouterr()
    assert swept("resume", "swept", "--no-prefect", "--json") == 0
    assert data(capsys)["complete"] == 4
    assert swept("resume", "swept", "--no-prefect", "--set", "iterations=2", "--json") == 0
    data(capsys)
    assert swept("ls", "--json") == 0
    assert [row["models"] for row in data(capsys)] == [3] * 4


def test_a_dry_run_counts_and_changes_nothing(cli: Cli, capsys: Capture, tmp_path: Path) -> None:
    assert cli(*SWEEP, "--over", "seed=0..9", "--dry-run", "--json") == 0
    plan = data(capsys)
    assert (plan["members"], plan["complete"], plan["to_run"]) == (20, 0, 20)
    assert plan["runs"][1] == {"run": "swept-q0p1-s1", "arm": None, "axes": {"q": 0.1, "seed": 1}}
    assert list(tmp_path.iterdir()) == []
    assert cli(*SWEEP, "--over", "seed=0") == 0
    capsys.readouterr()
    assert cli(*SWEEP, "--over", "seed=0..9", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "members      20" in out and "complete     2" in out and "to run       18" in out


def test_failed_members_are_named_and_the_first_decides_the_exit_code(
    cli: Cli, capsys: Capture
) -> None:
    over = ("--over", "distance=6,1e200")
    assert cli(*SWEEP, *over) == 4
    shown = capsys.readouterr()
    assert "members    2 of 4 complete" in shown.out
    lines = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert [line.split()[1] for line in lines] == [
        "swept-q0p5-distance1e200-s0:",
        "swept-q0p1-distance1e200-s0:",
    ], "the first failure is the last line, as of every command"
    assert "resume with: pluralist resume swept --store" in shown.err
    assert cli(*SWEEP, *over, "--json") == 4
    failed = data(capsys)["failed"]
    assert [(one["error"], one["exit_code"]) for one in failed] == [("BadNumbers", 4)] * 2
    assert cli("resume", "swept", "--no-prefect", "--concurrency", "1") == 4


def test_arms_and_yaml_files_are_read_as_by_run(cli: Cli, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "domain: gmm\npreset: paper\niterations: 1\nnum_candidates: 50\n"
        "selection: {num_curated: 50}\nevaluation: {num_samples: 40}\n"
    )
    assert cli("sweep", str(path), "--over", "q=0.1,0.5", "--no-prefect", "--json") == 0
    found = data(capsys)
    assert found["group"].startswith("gmm-sweep-")
    assert found["by"] == ["arm", "q"]
    rows = {(row["arm"], row["q"]) for row in found["summary"]}
    assert rows == {("pluralistic", 0.1), ("pluralistic", 0.5), ("single", 1.0)}
    assert cli("show", f"{found['group']}-single-q1-s0") == 0


def test_wrong_axes_end_with_code_2_and_another_sweep_of_the_name_with_8(
    swept: Cli, capsys: Capture
) -> None:
    assert swept(*SWEEP[:-2]) == 2, "at least one axis"
    assert swept(*SWEEP, "--over", "seed") == 2
    assert "expected key=value,value or key=first..last, got 'seed'" in capsys.readouterr().err
    assert swept(*SWEEP, "--over", "seed=0..1", "--concurrency", "0") == 2
    assert swept(*SWEEP, "--over", "seed=0..2") == 8
    assert "choose another --name" in capsys.readouterr().err


def test_warnings_are_said_once_for_all_members(cli: Cli, capsys: Capture) -> None:
    pool = ("--set", "selection.scheme=fresh", "--set", "selection.pool_size=80")
    assert cli(*SWEEP, *pool) == 0
    assert capsys.readouterr().err.count("warning: pool_size 80 exceeds num_candidates 50") == 1
