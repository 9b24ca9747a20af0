"""Under a real Prefect server: same digests, names, Cached states, tables, progress, links."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from data.errors import BadNumbers
from data.store import Store
from flows.creation import create_runs
from flows.domain import arm_configs, find_domain, find_preset
from flows.retrain import retrain, retrain_here
from pluralist.listing import stage_digests
from tests.flows.conftest import MakeRun

pytestmark = [pytest.mark.slow, pytest.mark.prefect]  # one real server for the session


@pytest.fixture
def server(prefect_server_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=prefect_server_url, timeout=30) as client:
        yield client


def digests(store: Store, run: str) -> dict[str, str]:
    return {str(place): digest for place, digest in stage_digests(store, store.read_run(run))}


def flow_run(server: httpx.Client, name: str) -> dict[str, Any]:
    found = server.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [name]}}}).json()
    newest: dict[str, Any] = max(found, key=lambda run: run["created"])
    return newest


def task_runs(server: httpx.Client, flow_run_id: str, number: int) -> dict[str, str]:
    """Name and state name of the task runs of one flow run, once the server has written them."""
    query = {"flow_runs": {"id": {"any_": [flow_run_id]}}, "limit": 200}
    states: dict[str, str] = {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.post("/task_runs/filter", json=query).json()
        states = {run["name"]: run["state_name"] for run in found}
        if len(states) == number and not {"Running", "Pending"} & set(states.values()):
            return states
        time.sleep(0.1)
    raise AssertionError(f"expected {number} task runs that have ended, got {states}")


def test_prefect_gives_the_digests_of_a_run_without_it(
    server: httpx.Client, make_run: MakeRun, tmp_path: Path
) -> None:
    plain, flown = make_run("plain"), make_run("flown", run=False)
    retrain(store=str(tmp_path / "store"), runs=["flown"])
    assert digests(flown.store, "flown") == digests(plain.store, "plain")
    run = flow_run(server, "flown")
    assert run["state_name"] == "Completed"
    states = task_runs(server, run["id"], 17)
    assert states["flown/iteration-0001/draw"] == "Completed"

    retrain(store=str(tmp_path / "store"), runs=["flown"])
    states = task_runs(server, flow_run(server, "flown")["id"], 17)
    assert set(states.values()) == {"Cached"}


def test_the_page_shows_a_table_for_each_model_progress_and_a_link(
    server: httpx.Client, make_run: MakeRun, tmp_path: Path
) -> None:
    make_run("shown", run=False)
    retrain(store=str(tmp_path / "store"), runs=["shown"])
    query = {"artifacts": {"flow_run_id": {"any_": [flow_run(server, "shown")["id"]]}}}
    found = server.post("/artifacts/filter", json=query).json()
    kinds = [artifact["type"] for artifact in found]
    assert kinds.count("table") == 4
    (progress,) = [artifact for artifact in found if artifact["type"] == "progress"]
    assert float(progress["data"]) == 100
    (link,) = [artifact for artifact in found if artifact["key"] == "shown-store"]
    assert "runs/shown" in link["data"]


@pytest.mark.parametrize(("granularity", "tasks"), [("iteration", 4), ("run", 1)])
def test_granularity_decides_the_number_of_tasks(
    server: httpx.Client, make_run: MakeRun, tmp_path: Path, granularity: str, tasks: int
) -> None:
    run = f"by-{granularity}"
    make_run(run, {"runtime": {"granularity": granularity}}, run=False)
    retrain(store=str(tmp_path / "store"), runs=[run])
    assert len(task_runs(server, flow_run(server, run)["id"], tasks)) == tasks


def test_a_failing_run_does_not_stop_the_others_and_its_error_comes_through(
    server: httpx.Client, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rewards.quadratic import REWARD

    scored = REWARD.__call__
    make_run("bad", {"seed": 5}, run=False)
    make_run("good", {"gamma": 2.0, "seed": 6}, run=False)

    def bad_at_one(self: Any, samples: Any) -> Any:
        scores = scored(self, samples)
        return scores * float("nan") if self.config.gamma == 1.0 else scores

    monkeypatch.setattr(REWARD, "__call__", bad_at_one)
    for start in (retrain, retrain_here):
        with pytest.raises(BadNumbers, match="expected finite scores, got nan"):
            start(store=str(tmp_path / "store"), runs=["bad", "good"])
    assert flow_run(server, "bad")["state_type"] in ("FAILED", "CRASHED")
    assert flow_run(server, "good")["state_name"] == "Completed"
    assert len(digests(Store(tmp_path / "store"), "good")) == 17


def test_two_arms_become_two_subflows_of_one_parent(server: httpx.Client, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    domain = find_domain("gmm")
    changes = {"iterations": 1, "num_candidates": 50, "seed": 11}
    configs = arm_configs(domain, find_preset(domain, "paper"), changes)
    records = create_runs(store, domain, configs, name="arms")
    retrain(store=str(store.root), runs=[record.run for record in records])
    parents = {flow_run(server, record.run)["parent_task_run_id"] for record in records}
    assert len(parents) == 2
    assert None not in parents
