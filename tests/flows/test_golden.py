"""Golden values of one small run, one group a stage.

A changed algorithm must raise its number in `STAGE_VERSIONS`; forgetting it would let a resumed
run mix two algorithms. These values fail then. They hold to 1e-9, so that another processor
passes. After a deliberate change print new ones with `python -m tests.flows.test_golden`.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from data.store import Store
from flows.creation import create_runs
from flows.domain import arm_configs, find_domain, find_preset
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.places import STAGE_VERSIONS, Place

GOLDEN = Path(__file__).with_name("golden.json")
COLUMNS = {
    "sample": ("candidates.parquet", ("x", "y")),
    "draw": ("scores.parquet", ("quadratic-1", "quadratic-2")),
    "select": ("winners.parquet", ("active_reward", "candidate_id", "probability")),
    "retrain": ("training.parquet", ("loss",)),
    # All metrics, among them the weights, means and variances of the model.
    "evaluate": ("metrics.parquet", ("value",)),
}
NUM_VALUES = 40


def golden_values(root: Path) -> dict[str, object]:
    """First values of the columns of every stage of iteration 2, and the stage versions."""
    store = Store(root)
    domain = find_domain("gmm")
    configs = arm_configs(domain, find_preset(domain, "smoke"), {})
    (record,) = create_runs(store, domain, configs, name="golden")
    context = RunContext(store, record)
    rounds(context)
    versions = {stage: STAGE_VERSIONS[stage] for stage in ("initial", *COLUMNS)}
    values: dict[str, object] = {"versions": versions}
    initial = context.open_place(Place(None, "initial")).table("training.parquet")
    values["initial"] = initial["loss"].to_pylist()
    for stage, (file, columns) in COLUMNS.items():
        table = context.open_place(Place(2, stage)).table(file)
        values[stage] = {name: table[name].to_pylist()[:NUM_VALUES] for name in columns}
    return values


def test_a_small_run_gives_the_golden_values(tmp_path: Path) -> None:
    expected, found = json.loads(GOLDEN.read_text()), golden_values(tmp_path)
    assert found["versions"] == expected["versions"], "renew the golden values for a new version"
    assert found["initial"] == pytest.approx(expected["initial"], rel=1e-9)
    for stage in COLUMNS:
        columns = found[stage]
        assert isinstance(columns, dict)
        for name, values in expected[stage].items():
            np.testing.assert_allclose(columns[name], values, rtol=1e-9, err_msg=f"{stage}.{name}")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        GOLDEN.write_text(json.dumps(golden_values(Path(folder)), indent=1) + "\n")
