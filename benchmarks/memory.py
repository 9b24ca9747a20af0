"""How much host memory does the loop need for 50,000 candidates of 32 x 32 x 3 (153.6 MB)?

Two rounds of all five stages with a generator of random images and two trivial rewards, so that
what is measured is the loop's own: shards, tables, Parquet. Pools of 4, 2,500 winners.

    python -m benchmarks.memory [--candidates 50000] [--shard-rows 5000] [--workers 1] [--folder D]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.image_stand_ins import installed
from data.store import Store
from flows.creation import create_runs
from flows.domain import find_domain
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.places import Place
from tasks.settings import parse_config
from tasks.stage import Outcome, run_place

MB = 1e6


def configuration(options: argparse.Namespace) -> dict[str, Any]:
    """The run, in plain values."""
    rewards = [{"kind": "brightness", "channel": c, "weight": 0.5} for c in (0, 2)]
    return {
        "domain": "gmm",
        "iterations": 2,
        "num_candidates": options.candidates,
        "generator": {"kind": "random-images"},
        "initial": {},
        "rewards": rewards,
        "selection": {"scheme": "disjoint", "pool_size": 4, "num_curated": options.winners},
        "evaluation": {"num_samples": 1000},
        "runtime": {"shard_rows": options.shard_rows, "shard_workers": options.workers},
    }


def peak() -> float:
    """Largest resident memory of this process since `forget_peak`, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kilobytes) * 1024 / MB


def forget_peak() -> None:
    """Start `peak` anew."""
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Print seconds and peak of every stage, and the loop's peak beyond what it started with."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--candidates", type=int, default=50_000)
    parser.add_argument("--winners", type=int, default=2_500)
    parser.add_argument("--shard-rows", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with installed(), tempfile.TemporaryDirectory(dir=options.folder) as folder:
        store = Store(Path(folder) / "store")
        config = parse_config(configuration(options))
        (record,) = create_runs(store, find_domain("gmm"), {None: config}, name="memory")
        context = RunContext(store, record)
        before = psutil.Process().memory_info().rss / MB
        print(f"{'before':<28} {'':>8}   {before:6.0f} MB")
        highest = 0.0

        def measured(context: RunContext, _name: str, places: Any) -> list[Outcome]:
            nonlocal highest
            outcomes = []
            for place in places:
                assert isinstance(place, Place)
                forget_peak()
                start = time.perf_counter()
                outcomes.append(run_place(context, place))
                seconds = time.perf_counter() - start
                highest = max(highest, peak())
                print(f"{place!s:<28} {seconds:6.2f} s   {peak():6.0f} MB")
            return outcomes

        rounds(context, run_batch=measured)
    print(f"peak beyond what it started with: {highest - before:.0f} MB")
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / MB
    if options.workers > 1:
        print(f"largest worker: {worker:.0f} MB, of which about {before:.0f} MB are imports")


if __name__ == "__main__":
    main()
