"""The experiment forecast through the loop itself: foretold shares are those that are measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from data.store import Store
from flows.creation import find_records
from flows.forecast import predicted, share_of
from flows.sweep_results import collect
from tasks.claims import HOLDS
from tests.flows.small_studies import cheap, make, small

POOL = "selection.pool_size"


@pytest.mark.slow  # 36 runs of 40 rounds in two processes
@pytest.mark.timeout(900)
def test_forecast_shares_are_those_that_four_seeds_measure(tmp_path: Path) -> None:
    axes: dict[str, Sequence[Any]] = {"seed": range(4), "q": [0.3, 0.7], POOL: [2, 3, 4, 16]}
    experiment = small("forecast", cheap(600, 40), axes, quick=False)
    made = make(tmp_path, experiment)
    assert made.num_runs == 36
    assert made.verdict == HOLDS, made.claims
    assert len(made.claims) == 1 + 4 + 1

    study = experiment.study(True)
    store = Store(tmp_path / "store")
    frame = collect(store, find_records(store, made.group))
    # Both extremes of the grid: a pool that kills the minority, one that keeps its weight.
    for q, size, limit in ((0.3, 3, 0.0), (0.7, 3, 1.0), (0.7, 2, 1.0), (0.7, None, 0.7)):
        assert predicted(study, q, size) == pytest.approx(limit, abs=1e-6)
        assert share_of(frame, study, q, size).mean() == pytest.approx(limit, abs=0.03)
    four = predicted(study, 0.7, 4)
    assert 0.85 < four < 0.9, "a small pool favours the majority"
    assert share_of(frame, study, 0.7, 4).mean() == pytest.approx(four, abs=0.03)
