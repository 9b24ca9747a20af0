"""Every Parquet file of a run opens in pandas and in Hugging Face datasets."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.flows.conftest import MakeRun, make_run

__all__ = ["make_run"]


@pytest.mark.slow  # importing datasets takes seconds
def test_pandas_and_datasets_open_every_parquet_file_of_a_run(
    make_run: MakeRun,
    tmp_path: Path,
) -> None:
    import datasets

    context = make_run("first", {"iterations": 1, "selection": {"keep_pools": True}})
    paths = sorted(tmp_path.rglob("*.parquet"))
    names = {path.name for path in paths}
    assert names == {
        "candidates.parquet", "scores.parquet", "draws.parquet", "winners.parquet",
        "pools.parquet", "training.parquet", "metrics.parquet", "predictions.parquet",
        "samples.parquet",
    }  # fmt: skip
    for path in paths:
        num_rows = pq.ParquetFile(path).metadata.num_rows
        assert len(pd.read_parquet(path)) == num_rows
        loaded = datasets.load_dataset(
            "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert len(loaded) == num_rows
    assert context.config.iterations == 1
