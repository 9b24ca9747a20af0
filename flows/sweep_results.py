"""What a sweep measured: one tidy table of all complete members, and means over seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.artifact import open_artifact
from data.canonical import canonical_json
from data.errors import ConfigError
from data.files import replace_file, storage_errors
from data.parquet import table_bytes
from data.schemas import described
from data.store import RunRecord, Store
from flows.results import RESULTS
from flows.rounds import is_complete
from tasks.intervals import mean_interval
from tasks.places import evaluation_place


def collect(store: Store, records: Sequence[RunRecord]) -> pd.DataFrame:
    """Every metric of every model of the complete members, verified as it is read.

    Columns: run, arm ("" without one), seed, one for each axis in order (float64 where all its
    values are numbers or None, which becomes NaN, else text), k, metric, value. Members that
    are not complete are left out. Raises `CorruptArtifact` for a damaged evaluation.
    """
    complete = [record for record in records if is_complete(store, record)]
    tables: list[pa.Table] = []
    members: list[int] = []
    models: list[int] = []
    for number, record in enumerate(complete):
        for k in range(record.config["iterations"] + 1):
            place = evaluation_place(k)
            folder = store.stage_folder(record.run, place.iteration, place.stage)
            tables.append(open_artifact(folder).table("metrics.parquet"))
            members.append(number)
            models.append(k)
    measured = pa.concat_tables(tables) if tables else RESULTS.empty_table()
    lengths = [table.num_rows for table in tables]
    member = np.repeat(np.asarray(members, dtype=np.int64), lengths)
    columns: dict[str, Any] = {
        "run": _texts([record.run for record in complete])[member],
        "arm": _texts([record.arm or "" for record in complete])[member],
        "seed": np.asarray([record.config["seed"] for record in complete], np.int64)[member],
    }
    for key in axis_keys(records):
        are_numbers = all(_is_number(record.axes.get(key)) for record in records)
        values = [record.axes.get(key) for record in complete]
        columns[key] = _floats(values)[member] if are_numbers else _texts(values)[member]
    columns["k"] = np.repeat(np.asarray(models, dtype=np.int32), lengths)
    columns["metric"] = measured["metric"].to_pandas().to_numpy(dtype=object)
    columns["value"] = measured["value"].to_numpy()
    return pd.DataFrame(columns)


def axis_keys(records: Sequence[RunRecord]) -> list[str]:
    """Keys of the axes in order, without `seed`, which every table has a column for."""
    return [
        key for key in dict.fromkeys(key for one in records for key in one.axes) if key != "seed"
    ]


def write_results(store: Store, group: str, frame: pd.DataFrame) -> Path:
    """Put `frame` of `collect` into the group's results.parquet in one atomic step."""
    path = store.group_folder(group) / "results.parquet"
    fields = [_field(name, frame[name]) for name in frame.columns]
    arrays = [
        pa.array(frame[field.name].to_numpy(), type=field.type, from_pandas=False)
        for field in fields
    ]
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, table_bytes(pa.Table.from_arrays(arrays, schema=pa.schema(fields))))
    return path


def summarise_over_seeds(
    frame: pd.DataFrame, by: Sequence[str], metric: str, k: int | Literal["last"] = "last"
) -> pd.DataFrame:
    """Mean of `metric` of the model p_k over the runs that agree in the columns `by`.

    Columns: `by`, mean, low, high (Student's 95 % interval; NaN for one run), num (runs); one
    row a group, sorted. `k` "last" is each run's last model. Every run counts once, so `by`
    should hold the arm and every axis but the seed, unless the frame is filtered by them.
    Raises `ConfigError` for columns, metrics or models the frame does not have.
    """
    missing = [name for name in by if name not in frame.columns]
    if missing:
        raise ConfigError(
            f"by: expected columns among {', '.join(frame.columns)}, got {', '.join(missing)}"
        )
    wanted = frame.groupby("run")["k"].transform("max") if k == "last" else k
    chosen = frame[(frame["metric"] == metric) & (frame["k"] == wanted)]
    if chosen.empty:
        present = ", ".join(dict.fromkeys(frame["metric"])) or "none at all"
        raise ConfigError(
            f"metric: expected one measured for model {k}, got {metric!r}; there are: {present}"
        )
    # NaN is a value of an axis as any other.
    groups = chosen.groupby(list(by), dropna=False) if by else [((), chosen)]
    rows = [(*key, *mean_interval(group["value"].to_numpy()), len(group)) for key, group in groups]
    return pd.DataFrame(rows, columns=[*by, "mean", "low", "high", "num"])


def _field(name: str, column: "pd.Series[Any]") -> pa.Field:
    if name in RESULTS.names:
        return RESULTS.field(name)
    kind = pa.float64() if column.dtype == np.float64 else pa.string()
    return described(name, kind, f"value of the run on axis {name}; NaN where it is null")


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _floats(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)


def _texts(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    """Texts as they are, other values as JSON, so null, true and mappings as in a file."""
    texts = np.empty(len(values), dtype=object)
    texts[:] = [v if isinstance(v, str) else canonical_json(v).decode() for v in values]
    return texts
