"""The tidy table of a sweep and its means over seeds."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.errors import ConfigError, CorruptArtifact
from data.quarantine import quarantine
from data.store import RunRecord, Store
from flows.results import metrics_of
from flows.rounds import rounds
from flows.sweep import Axis
from flows.sweep_results import axis_keys, collect, summarise_over_seeds, write_results
from tasks.context import RunContext
from tasks.places import Place
from tests.flows.sweeps import make_sweep

AXES = [Axis("q", (None, 0.1)), Axis("case", ({"gamma": 2.0}, "x")), Axis("seed", (0, 1))]


def swept(root: Path, axes: list[Axis]) -> tuple[Store, list[RunRecord]]:
    store, records = make_sweep(root, axes)
    for record in records:
        rounds(RunContext(store, record))
    return store, records


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[RunRecord]]:
    axes = [Axis("q", (0.1, 0.5)), Axis("generator.algorithm", ("em", "warm-em")), AXES[-1]]
    return swept(tmp_path_factory.mktemp("sweep"), axes)


def test_the_table_holds_every_metric_of_every_model(
    sweep: tuple[Store, list[RunRecord]],
) -> None:
    store, records = sweep
    frame = collect(store, records)
    assert list(frame.columns) == [
        "run", "arm", "seed", "q", "generator.algorithm", "k", "metric", "value",
    ]  # fmt: skip
    kinds = {"seed": "int64", "q": "float64", "k": "int32", "value": "float64"}
    assert {name: str(frame[name].dtype) for name in kinds} == kinds
    for record in records:
        context = RunContext(store, record)
        for k in range(3):
            rows = frame[(frame["run"] == record.run) & (frame["k"] == k)]
            measured = dict(zip(rows["metric"], rows["value"], strict=True))
            assert measured == metrics_of(context, k)
            assert set(rows["q"]) == {record.axes["q"]}
            assert set(rows["generator.algorithm"]) == {record.axes["generator.algorithm"]}
            assert set(rows["seed"]) == {record.config["seed"]}
            assert set(rows["arm"]) == {""}
    assert len(frame) == sum(
        len(metrics_of(RunContext(store, record), k)) for record in records for k in range(3)
    )


def test_null_becomes_nan_among_numbers_and_json_among_texts(tmp_path: Path) -> None:
    case = Axis("case", ({"gamma": 2.0}, {"q": 1.0}))
    store, records = swept(tmp_path, [Axis("distance", (None, 2)), case])
    frame = collect(store, records)
    assert str(frame["distance"].dtype) == "float64"
    assert [*dict.fromkeys(frame["case"])] == ['{"gamma":2.0}', '{"q":1.0}']
    assert math.isnan(frame["distance"].iloc[0]) and frame["distance"].iloc[-1] == 2
    summary = summarise_over_seeds(frame, ["distance", "case"], "reward_mean.quadratic-1")
    assert len(summary) == 4, "NaN is a group of its own"


def test_incomplete_members_are_left_out_and_damaged_ones_reported(tmp_path: Path) -> None:
    store, records = swept(tmp_path, [Axis("seed", (0, 1))])
    quarantine(RunContext(store, records[0]).folder(Place(1, "select")))
    assert set(collect(store, records)["run"]) == {records[1].run}
    context = RunContext(store, records[1])
    path = context.open_place(Place(0, "evaluate")).path("metrics.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CorruptArtifact, match=r"metrics\.parquet: sha256 expected"):
        collect(store, records)


def test_a_sweep_of_which_nothing_is_done_has_an_empty_table_of_the_same_columns(
    tmp_path: Path,
) -> None:
    store, records = make_sweep(tmp_path, [Axis("q", (0.1, 0.5))])
    frame = collect(store, records)
    assert len(frame) == 0
    assert list(frame.columns) == ["run", "arm", "seed", "q", "k", "metric", "value"]
    assert pq.read_table(write_results(store, "swept", frame)).num_rows == 0


def test_results_are_written_with_the_meaning_of_every_column(
    sweep: tuple[Store, list[RunRecord]],
) -> None:
    store, records = sweep
    frame = collect(store, records)
    path = write_results(store, "swept", frame)
    assert path == store.root / "groups/swept/results.parquet"
    assert path == write_results(store, "swept", frame), "may be written again"
    table = pq.read_table(path)
    assert all(b"meaning" in (field.metadata or {}) for field in table.schema)
    assert {field.name: str(field.type) for field in table.schema} == {
        "run": "string", "arm": "string", "seed": "int64", "q": "double",
        "generator.algorithm": "string", "k": "int32", "metric": "string", "value": "double",
    }  # fmt: skip
    pd.testing.assert_frame_equal(pd.read_parquet(path), frame, check_dtype=False)


def test_the_summary_is_the_interval_of_the_last_models(
    sweep: tuple[Store, list[RunRecord]],
) -> None:
    store, records = sweep
    frame = collect(store, records)
    metric = "reward_mean.quadratic-1"
    by = axis_keys(records)
    assert by == ["q", "generator.algorithm"]
    summary = summarise_over_seeds(frame, by, metric)
    assert list(summary.columns) == [*by, "mean", "low", "high", "num"]
    assert summary["num"].tolist() == [2] * 4
    row = summary[(summary["q"] == 0.5) & (summary["generator.algorithm"] == "em")].iloc[0]
    values = np.array(
        [
            metrics_of(RunContext(store, record), 2)[metric]
            for record in records
            if record.axes["q"] == 0.5 and record.axes["generator.algorithm"] == "em"
        ]
    )
    # Student's t with one degree of freedom at .975 is tan(.475 pi).
    half = math.tan(0.475 * math.pi) * abs(values[0] - values[1]) / 2
    assert row["mean"] == pytest.approx(values.mean())
    assert (row["low"], row["high"]) == pytest.approx((values.mean() - half, values.mean() + half))
    first = summarise_over_seeds(frame, by, metric, k=0)
    assert first["mean"].tolist() != summary["mean"].tolist()


def test_one_seed_has_no_interval_and_no_columns_make_one_row(
    sweep: tuple[Store, list[RunRecord]],
) -> None:
    store, records = sweep
    frame = collect(store, records)
    alone = summarise_over_seeds(frame, ["run"], "basin_mass.quadratic-1")
    assert alone["num"].tolist() == [1] * 8
    assert alone["low"].isna().all() and alone["high"].isna().all()
    assert len(summarise_over_seeds(frame, [], "basin_mass.quadratic-1")) == 1


def test_what_the_table_does_not_have_is_refused_naming_what_it_has(
    sweep: tuple[Store, list[RunRecord]],
) -> None:
    frame = collect(*sweep)
    with pytest.raises(ConfigError, match="by: expected columns among run, arm, .*, got distance"):
        summarise_over_seeds(frame, ["distance"], "reward_mean.quadratic-1")
    with pytest.raises(ConfigError, match="got 'loss'; there are: reward_mean.quadratic-1, "):
        summarise_over_seeds(frame, ["q"], "loss")
    with pytest.raises(ConfigError, match="metric: expected one measured for model 9"):
        summarise_over_seeds(frame, ["q"], "reward_mean.quadratic-1", k=9)
