"""What a sweep measured: one tidy table of all complete members, and means over seeds."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from data.artifact import Artifact, open_artifact
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

METRICS_FILE = "metrics.parquet"
# Columns that every table has; an axis `seed` is the one there is.
FIXED = tuple(RESULTS.names)


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
            tables.append(open_artifact(folder).table(METRICS_FILE))
            members.append(number)
            models.append(k)
    measured = pa.concat_tables(tables) if tables else None
    lengths = [table.num_rows for table in tables]
    member = np.repeat(np.asarray(members, dtype=np.int64), lengths)
    columns: dict[str, Any] = {
        "run": _repeated([record.run for record in complete], member),
        "arm": _repeated([record.arm or "" for record in complete], member),
        "seed": np.asarray([record.config["seed"] for record in complete], np.int64)[member],
    }
    for key in axis_keys(records):
        values = [record.axes.get(key) for record in complete]
        columns[key] = _axis_column(values)[member]
    columns["k"] = np.repeat(np.asarray(models, dtype=np.int32), lengths)
    columns["metric"] = measured["metric"].to_pandas() if measured else pd.Series([], dtype=str)
    columns["value"] = measured["value"].to_numpy() if measured else np.empty(0)
    return pd.DataFrame(columns)
