"""Experiment C9: its runs, its verdict from the loop's own measurements, what is missing."""

from pathlib import Path

import pandas as pd
import pytest

from data.store import Store
from flows.c9 import EXPERIMENT
from flows.experiment import Frame, Scale, find_experiment
from flows.reproduce import reproduce
from flows.sweep import run_sweep
from tasks.claims import HOLDS, VOID, overall
from tests.tasks.idealised import frame_of

STUDY = EXPERIMENT.study(False)
QUICK = EXPERIMENT.study(True)
NAMES = {"left": "gaussian-bump-1", "right": "gaussian-bump-2"}


def plain_frame(distances: tuple[float, ...], weights: tuple[float, ...]) -> Frame:
    frame = frame_of(distances, weights)
    for short, name in NAMES.items():
        frame["metric"] = frame["metric"].str.replace(short, name)
    return frame


def test_the_experiment_is_found_by_name() -> None:
    assert find_experiment("c9") is EXPERIMENT


def test_the_study_has_every_distance_and_weight_the_tables_need() -> None:
    runs = [
        (distance, q)
        for block in STUDY.blocks
        for distance in block.axes["distance"]
        for q in block.axes["q"]
    ]
    assert len(runs) == len(set(runs)) == 67
    assert all(block.axes.keys() == {"distance", "q", "seed"} for block in STUDY.blocks)
    assert STUDY.name != QUICK.name


@pytest.mark.slow  # six runs in a worker process
def test_the_quick_study_holds_through_the_loop_itself(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    def run_group(store: Store, name: str) -> list[str]:
        outcome = run_sweep(str(store.root), name, concurrency=1, prefect=False)
        return [run for run, _ in outcome.failed]

    made = reproduce(
        store, EXPERIMENT, scale=Scale(quick=True), folder=tmp_path / "out", run_group=run_group
    )
    assert made.failed == []
    assert made.verdict == HOLDS, made.claims
    assert len(made.printed) == 2 * 3 * 3
    assert all(abs(one.measured - one.printed) < 0.0015 for one in made.printed)
    assert made.page.exists() and made.figure is not None and made.figure.exists()


def test_a_run_that_is_missing_voids_the_verdict() -> None:
    frame = plain_frame((2.0, 6.0), (0.25, 0.4, 0.75))
    assert overall(EXPERIMENT.judge(frame, QUICK)) == HOLDS
    partial = frame[frame["run"] != frame["run"].iloc[0]]
    claims = EXPERIMENT.judge(partial, QUICK)
    assert (claims[0].measured, claims[0].required, claims[0].verdict) == (5.0, "= 6", VOID)
    assert overall(claims) == VOID


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_measured_is_void_and_still_has_a_page(rows: int) -> None:
    frame = plain_frame((2.0,), (0.25,)).iloc[:rows]
    assert overall(EXPERIMENT.judge(frame, QUICK)) == VOID
    assert EXPERIMENT.compare(frame, QUICK) == []
    assert EXPERIMENT.remarks(frame, QUICK) == []
    table = EXPERIMENT.table(frame, QUICK)
    assert isinstance(table, pd.DataFrame) and table.empty
    assert EXPERIMENT.draw(frame, QUICK).axes


def test_the_figure_has_no_panel_without_anything_to_show() -> None:
    quick = EXPERIMENT.draw(plain_frame((2.0, 6.0), (0.25, 0.4, 0.75)), QUICK)
    assert [bool(panel.lines) for panel in quick.axes] == [True, True]
    weights = tuple(float(q) for q in STUDY.blocks[0].axes["q"])
    full = EXPERIMENT.draw(plain_frame((2.0, 6.0), weights), STUDY)
    assert [bool(panel.lines) for panel in full.axes] == [True, True, True]


def test_the_page_says_whose_the_tolerances_are() -> None:
    assert "tolerances ours" in EXPERIMENT.source
