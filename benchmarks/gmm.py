"""What does the loop cost, and what does Prefect add? 50 iterations of five stages.

The paper's configuration with paper-mode EM, fsync on, imports done before. CPU seconds of this
process, and of the embedded server; wall seconds of the loop. A warm-up run comes first.

    python -m benchmarks.gmm [--iterations 50] [--repeats 3]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import psutil  # noqa: E402

from data.store import Store  # noqa: E402
from deploy.embedded_server import prefect_server  # noqa: E402
from deploy.orphans import FACTORY  # noqa: E402
from deploy.prefect_defaults import quieten_prefect  # noqa: E402

quieten_prefect()

from flows.creation import create_runs  # noqa: E402
from flows.domain import arm_configs, find_domain, find_preset  # noqa: E402
from flows.retrain import retrain, retrain_here  # noqa: E402

Start = Callable[[str, list[str]], None]


def prepare(root: Path, name: str, iterations: int, granularity: str, seed: int) -> Store:
    """Create a single run of the paper's configuration."""
    store, domain = Store(root), find_domain("gmm")
    changes = {
        "iterations": iterations,
        "seed": seed,
        "runtime": {"granularity": granularity},
    }
    config = arm_configs(domain, find_preset(domain, "paper"), changes)["pluralistic"]
    create_runs(store, domain, {None: config}, name=name)
    return store


def server_cpu() -> float:
    """CPU seconds of the embedded server among our children, 0 without one."""
    for child in psutil.Process().children():
        if FACTORY in child.cmdline():
            times = child.cpu_times()
            return float(times.user + times.system)
    return 0.0


def measure(
    root: Path, name: str, *, iterations: int, granularity: str, seed: int, start: Start
) -> tuple[float, float, float]:
    """Wall, own CPU and server CPU seconds of one run."""
    store = prepare(root, name, iterations, granularity, seed)
    wall, cpu, server = time.perf_counter(), time.process_time(), server_cpu()
    start(str(store.root), [name])
    own = (time.perf_counter() - wall, time.process_time() - cpu)
    return (*own, server_cpu() - server)


def main() -> None:
    """Print the median of every way to run, and Prefect's share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--iterations", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    ways: list[tuple[str, str, Start]] = [("without Prefect", "stage", retrain_here)]
    ways += [(f"Prefect, per {one}", one, retrain) for one in ("stage", "iteration", "run")]
    found: dict[str, list[tuple[float, float, float]]] = {}

    def repeat(root: Path, number: int) -> None:
        way, granularity, start = ways[number]
        for seed in range(options.repeats + 1):
            cost = measure(
                root,
                f"run-{number}-{seed}",
                iterations=options.iterations,
                granularity=granularity,
                seed=seed,
                start=start,
            )
            if seed:  # the first run warms up
                found.setdefault(way, []).append(cost)

    with tempfile.TemporaryDirectory() as folder:
        repeat(Path(folder), 0)  # before there is a server that could take part of the processor
        with prefect_server(print):
            for number in range(1, len(ways)):
                repeat(Path(folder), number)
    print(f"{options.iterations} iterations, median of {options.repeats}")
    print(f"{'':<22} {'wall s':>7} {'CPU s':>7} {'server CPU s':>13} {'CPU / without':>14}")
    reference = statistics.median(cost[1] for cost in found["without Prefect"])
    for way, costs in found.items():
        wall, cpu, server = (statistics.median(column) for column in zip(*costs, strict=True))
        print(f"{way:<22} {wall:7.2f} {cpu:7.2f} {server:13.2f} {cpu / reference:14.1f}")


if __name__ == "__main__":
    main()
