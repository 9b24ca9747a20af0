"""Stage `sample`: numbered candidates, or the whole support of a model that has one."""

import pyarrow as pa
import pytest

from data.errors import ConfigError
from generators.density import Density
from generators.mixture import Mixture
from tasks.sample import numbered, support_of
from tests.flows.conftest import MakeRun


def test_candidates_are_numbered_from_where_their_shard_starts() -> None:
    table = numbered(pa.table({"x": [0.5, 1.5]}), start=7)
    assert table.column_names == ["candidate_id", "group", "x"]
    assert table["candidate_id"].to_pylist() == [7, 8]
    assert table["group"].to_pylist() == [0, 0]


def test_a_support_holds_every_sample_with_its_probability() -> None:
    support = support_of(Density.example())
    assert support.num_rows == 63
    assert sum(support["mass"].to_pylist()) == pytest.approx(1)


def test_a_model_without_a_finite_support_is_refused(make_run: MakeRun) -> None:
    text = (
        "selection.scheme 'expected': expected a generator with a finite support, got 'mixture'; "
        "use generator 'density', or scheme 'all' or 'fresh'"
    )
    with pytest.raises(ConfigError, match=text):
        support_of(Mixture.example())
    with pytest.raises(ConfigError, match=text):
        make_run(changes={"selection": {"scheme": "expected"}})


def test_in_expectation_the_whole_support_is_the_sample(make_idealised: MakeRun) -> None:
    context = make_idealised({"selection": {"scheme": "expected"}})
    candidates = context.table(0, "sample", "candidates.parquet")
    assert candidates.num_rows == 101
    assert set(candidates["mass"].to_pylist()) == {1 / 101}
