"""Images through the loop: memory, and digests that do not depend on who makes the shards."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.image_stand_ins import installed
from data.store import Store
from flows.creation import create_runs
from flows.domain import find_domain
from flows.rounds import rounds
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tasks.settings import parse_config

pytestmark = pytest.mark.slow  # tens of thousands of images, and workers


def test_images_in_shards_larger_than_a_row_group_keep_their_digests(tmp_path: Path) -> None:
    found = []
    with installed():
        for workers in (1, 2):
            config = parse_config(
                {
                    "domain": "gmm",
                    "iterations": 1,
                    "num_candidates": 11_000,
                    "generator": {"kind": "random-images"},
                    "initial": {},
                    "rewards": [{"kind": "brightness"}, {"kind": "brightness", "channel": 1}],
                    "selection": {"scheme": "disjoint", "pool_size": 4, "num_curated": 500},
                    # Rows of one process are in one piece, those read back in two.
                    "runtime": {"shard_rows": 5_000, "shard_workers": workers},
                }
            )
            store = Store(tmp_path / str(workers))
            (record,) = create_runs(store, find_domain("gmm"), {None: config}, name="images")
            rounds(RunContext(store, record))
            found.append(stage_digests(store, record))
    assert found[0] == found[1]


def test_50_000_candidates_stay_under_2_gb() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory"], capture_output=True, text=True, check=True
    )
    (beyond,) = re.findall(r"peak beyond what it started with: (\d+) MB", done.stdout)
    assert 154 < int(beyond) < 1000
