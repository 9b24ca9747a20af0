"""Making runs of the Gaussian mixture without Prefect."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from flows.creation import create_runs
from flows.domain import Preset, arm_configs, find_domain, find_preset
from flows.rounds import rounds
from tasks.context import RunContext

Plain = dict[str, Any]
MakeRun = Callable[..., RunContext]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(name, changes)` creates a single smoke run and, unless told not to, runs it."""

    def make(name: str = "first", changes: Plain | None = None, *, run: bool = True) -> RunContext:
        store = Store(tmp_path / "store")
        domain = find_domain("gmm")
        configs = arm_configs(domain, find_preset(domain, "smoke"), changes or {})
        (record,) = create_runs(store, domain, configs, name=name)
        if run:
            rounds(RunContext(store, record))
        return RunContext(store, record)

    return make


def paper_arms(store: Store, name: str, changes: Plain) -> dict[str, RunContext]:
    """Both finished arms of preset `paper` under `changes`."""
    domain = find_domain("gmm")
    preset: Preset = find_preset(domain, "paper")
    records = create_runs(
        store, domain, arm_configs(domain, preset, changes), name=name, experiment="E1"
    )
    contexts = {str(record.arm): RunContext(store, record) for record in records}
    for context in contexts.values():
        rounds(context)
    return contexts
