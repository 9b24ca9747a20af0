"""A sweep under a real Prefect server: one small task a member, failures, resuming."""

import time
from pathlib import Path

import httpx
import pytest

from data.errors import BadNumbers
from flows.sweep import Axis, run_sweep
from tests.flows.sweeps import digests, make_sweep

pytestmark = [pytest.mark.slow, pytest.mark.prefect]  # one real server for the session


def tasks_of_last_flow(url: str, name: str, number: int) -> tuple[str, dict[str, str]]:
    """State of the newest flow run of that name; name and state of its tasks."""
    tasks: dict[str, str] = {}
    with httpx.Client(base_url=url, timeout=30) as server:
        query = {"flow_runs": {"name": {"any_": [name]}}}
        runs = server.post("/flow_runs/filter", json=query).json()
        newest = max(runs, key=lambda run: run["created"])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            query = {"flow_runs": {"id": {"any_": [newest["id"]]}}}
            found = server.post("/task_runs/filter", json=query).json()
            tasks = {one["name"]: one["state_name"] for one in found}
            if len(tasks) == number and not {"Running", "Pending"} & set(tasks.values()):
                return newest["state_name"], tasks
            time.sleep(0.1)
    raise AssertionError(f"expected {number} task runs that have ended, got {tasks}")


def test_a_sweep_is_one_flow_with_a_task_for_each_member_that_is_missing(
    prefect_server_url: str, tmp_path: Path
) -> None:
    axes = [Axis("distance", (6, 1e200)), Axis("seed", (0, 1))]
    store, records = make_sweep(tmp_path / "flown", axes, "flown")
    runs = [record.run for record in records]
    outcome = run_sweep(str(store.root), "flown", concurrency=2, prefect=True)
    assert outcome.completed == runs[:2]
    assert [run for run, _ in outcome.failed] == runs[2:]
    assert isinstance(outcome.failed[0][1], BadNumbers)
    state, tasks = tasks_of_last_flow(prefect_server_url, "sweep flown", 4)
    assert state == "Failed"
    assert tasks == dict.fromkeys(runs[:2], "Completed") | dict.fromkeys(runs[2:], "Failed")

    again = run_sweep(str(store.root), "flown", concurrency=1, prefect=True)
    assert again.completed == runs[:2]
    _, tasks = tasks_of_last_flow(prefect_server_url, "sweep flown", 2)
    assert set(tasks) == set(runs[2:])

    plain, expected = make_sweep(tmp_path / "plain", axes, "flown")
    run_sweep(str(plain.root), "flown", concurrency=2, prefect=False)
    assert digests(store, records) == digests(plain, expected)


def test_a_sweep_without_failures_completes_its_flow(
    prefect_server_url: str, tmp_path: Path
) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1, 2))], "good")
    outcome = run_sweep(str(store.root), "good", concurrency=2, prefect=True)
    assert outcome.completed == [record.run for record in records]
    assert len(outcome.computed) == 3
    state, tasks = tasks_of_last_flow(prefect_server_url, "sweep good", 3)
    assert state == "Completed"
    assert set(tasks.values()) == {"Completed"}
