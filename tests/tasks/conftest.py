"""Fixtures that tests of stages share with those of the loop, and runs of the idealised model."""

from pathlib import Path

import pytest

from data.store import Store
from flows.creation import create_runs
from flows.domain import arm_configs, find_domain, find_preset
from flows.rounds import rounds
from tasks.context import RunContext
from tests.flows.conftest import MakeRun, Plain, make_run

__all__ = ["make_run"]


@pytest.fixture
def make_idealised(tmp_path: Path) -> MakeRun:
    """`make_idealised(changes)` runs three rounds of the theory checks' model."""

    def make(changes: Plain | None = None) -> RunContext:
        store = Store(tmp_path / "idealised")
        domain = find_domain("density")
        configs = arm_configs(
            domain, find_preset(domain, "c9"), {"iterations": 3, **(changes or {})}
        )
        (record,) = create_runs(store, domain, configs, name="idealised")
        rounds(RunContext(store, record))
        return RunContext(store, record)

    return make
