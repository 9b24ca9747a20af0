"""The commands on a finished run, as a user calls them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from data.store import Store
from pluralist.application import run_application
from pluralist.launch import create_requested, read_request
from pluralist.output import JSON_SCHEMA
from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]


def json_of(cli: Cli, capsys: Capture, *arguments: str) -> Any:
    assert cli(*arguments, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == JSON_SCHEMA
    assert document["command"] == arguments[0]
    return document["data"]


def test_the_same_call_again_computes_nothing_and_prints_the_same(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("manifest.json")}
    call = ("run", "gmm", "--preset", "smoke", "--name", "first", "--no-prefect")
    assert smoke(*call) == 0
    first = capsys.readouterr().out
    assert smoke(*call) == 0
    assert capsys.readouterr().out == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("manifest.json")} == before


def test_run_prints_json_with_the_places_of_everything(cli: Cli, capsys: Capture) -> None:
    found = json_of(cli, capsys, "run", "gmm", "--preset", "smoke", "--no-prefect")
    assert found["experiment"] is None
    assert [row["quantity"] for row in found["comparisons"]][:1] == ["reward_mean.quadratic-1"]
    for path in [found["results"], *found["figures"]]:
        assert Path(path).stat().st_size > 0
    (run,) = found["runs"]
    assert run["run"].startswith("gmm-smoke-")


def test_ls_lists_runs_with_their_digests(smoke: Cli, capsys: Capture) -> None:
    (row,) = json_of(smoke, capsys, "ls")
    assert row["run"] == "first"
    assert row["state"] == "complete"
    assert (row["models"], row["iterations"]) == (4, 3)
    assert len(row["stages"]) == 17
    (verified,) = json_of(smoke, capsys, "verify", "first")
    assert verified["content_digest"] == row["content_digest"]
    assert verified["stage_digests"] == row["stages"]
    assert smoke("ls") == 0
    assert "complete" in capsys.readouterr().out


def test_an_empty_store_lists_nothing_and_says_how_to_start(cli: Cli, capsys: Capture) -> None:
    assert cli("ls") == 0
    assert "`pluralist run gmm` makes the first" in capsys.readouterr().err


def test_show_goes_from_run_to_iteration_to_stage(smoke: Cli, capsys: Capture) -> None:
    (run,) = json_of(smoke, capsys, "show", "first")
    assert run["run"] == "first"
    stages = json_of(smoke, capsys, "show", "first", "1")
    assert [row["stage"] for row in stages] == ["sample", "draw", "select", "retrain", "evaluate"]
    stage = json_of(smoke, capsys, "show", "first", "last", "select")
    (winners,) = stage["files"]
    assert winners["rows"] == 200
    assert [field["name"] for field in winners["schema"]][-1] == "probability"
    assert winners["statistics"]["probability"]["max"] <= 1
    assert len(winners["head"]) == 5
    for arguments in (["first"], ["first", "initial"], ["first", "initial", "evaluate"]):
        assert smoke("show", *arguments) == 0
    assert "samples.parquet" in capsys.readouterr().out


def test_a_plan_says_what_is_reused_and_what_would_run(smoke: Cli, capsys: Capture) -> None:
    (plan,) = json_of(smoke, capsys, "plan", "first", "--set", "evaluation.num_samples=50")
    counts = {stage["stage"]: (stage["reused"], stage["to_run"]) for stage in plan["stages"]}
    assert counts["evaluate"] == (0, 4)
    assert counts["retrain"] == (3, 0)
    assert plan["state"] == "would be a fork"
    assert plan["changed"] == [["evaluation.num_samples", 200, 50]]
    assert plan["first_missing"] == "initial/evaluate"
    (new,) = json_of(smoke, capsys, "plan", "gmm", "--preset", "smoke", "--set", "seed=9")
    assert new["state"] == "new"
    assert all(stage["seconds"] is not None for stage in new["stages"])
    assert smoke("plan", "gmm") == 0
    assert "of work" in capsys.readouterr().out


def test_the_printed_configuration_runs_as_it_is(cli: Cli, capsys: Capture, tmp_path: Path) -> None:
    assert cli("config", "gmm", "--preset", "smoke") == 0
    text = capsys.readouterr().out
    path = tmp_path / "smoke.yaml"
    path.write_text(text)
    assert yaml.safe_load(text)["selection"]["temperature"] == 1.0
    assert cli("run", str(path), "--name", "from-yaml", "--no-prefect") == 0
    capsys.readouterr()
    assert cli("run", "gmm", "--preset", "smoke", "--name", "from-preset", "--no-prefect") == 0
    capsys.readouterr()
    first, second = json_of(cli, capsys, "ls")
    assert first["stages"] == second["stages"]


def test_every_field_of_the_configuration_has_meaning_and_source(cli: Cli, capsys: Capture) -> None:
    rows = json_of(cli, capsys, "config", "gmm")
    assert len(rows) > 25
    assert all(row["meaning"] and row["source"] in "SQAFTRO" for row in rows)


def test_doctor_finds_this_machine_fit(cli: Cli, capsys: Capture) -> None:
    findings = json_of(cli, capsys, "doctor")
    assert {finding["subject"] for finding in findings} >= {
        "prefect", "fastapi", "disk", "device", "create-only publishing", "rewards",
    }  # fmt: skip
    assert all(finding["status"] != "failed" for finding in findings)


def test_doctor_refuses_a_fastapi_that_breaks_prefect(
    cli: Cli, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluralist.doctor.library_version", lambda _name: "0.155.0")
    assert cli("doctor") == 7
    assert "pip install 'fastapi<0.151'" in capsys.readouterr().err


def test_more_iterations_extend_a_run_without_computing_the_old_ones(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("runs/**/manifest.json")}
    assert smoke("resume", "first", "--set", "iterations=5", "--no-prefect") == 0
    capsys.readouterr()
    (row,) = json_of(smoke, capsys, "ls")
    assert (row["models"], row["iterations"]) == (6, 5)
    after = {path: path.read_bytes() for path in tmp_path.rglob("runs/**/manifest.json")}
    assert before.items() <= after.items()
    assert smoke("resume", "first", "--set", "iterations=2") == 2
    assert "expected at least 5" in capsys.readouterr().err


def test_the_shell_can_ask_for_completion(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PLURALIST_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "pluralist ver")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run_application([]) == 0
    assert capsys.readouterr().out.strip() == "verify"


def test_whoever_sets_what_an_arm_sets_itself_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = read_request("gmm", "paper", ["q=0.7", "iterations=1"])
    assert request.kept_by_arms == ["single: q"]
    assert read_request("gmm", "smoke", ["q=0.7"]).kept_by_arms == []
    assert read_request("gmm", "paper", ["rewards.0.weight=0.7"]).kept_by_arms == ["single: q"]
    assert read_request("gmm", "paper", ["rewards.0.gamma=2"]).kept_by_arms == []
    create_requested(Store(tmp_path), request, "told", accept_numerics=False)
    assert "the arm keeps its own value where it sets one itself: single: q" in (
        capsys.readouterr().err
    )
