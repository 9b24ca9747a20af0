"""How fast is Bradley-Terry selection? Run `python -m benchmarks.selection`.

Prints, for each number of draws and pool size, how many times longer three references take than
`tasks.bradley_terry.select`, and the peak memory `select` adds. All run on one thread, in turn;
ratios are of medians; each timed call follows a short untimed one of the same code. The references:
- loop: one draw at a time with `Generator.choice`, as the paper's text reads;
- multinomial: `torch.multinomial` on batches of softmax rows that fit in memory;
- a call a reward: for K = N only, where all draws under one reward share a row of chances, one
  `torch.multinomial` each, which is a cumulative sum and a search as well;
- gumbel: the largest of score plus Gumbel noise over every entry of every pool.
A reference that would take long is timed on the first draws only and scaled up.
"""

import argparse
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasks.bradley_terry import select

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Selection = Callable[[FloatArray, IntArray, int, np.random.Generator], Any]

NUM_CANDIDATES = 50_000
NUM_REWARDS = 2
DRAWS = (2_500, 25_000)
POOL_SIZES = (4, 64, 1_000, NUM_CANDIDATES)  # the last stands for scheme `all`
PILOT = 20  # draws of an untimed call before each timed one
SECONDS_PER_REPEAT = 3.0  # a reference is cut to as many draws as fit
BATCH_ENTRIES = 4_000_000  # pool entries in one batch of a batched reference


def ours(scores: FloatArray, active: IntArray, pool_size: int, rng: np.random.Generator) -> Any:
    """`select` with scheme `fresh`, or `all` when the pool is every candidate."""
    return select(
        scores,
        active,
        scheme="all" if pool_size == len(scores) else "fresh",
        pool_size=None if pool_size == len(scores) else pool_size,
        temperature=1.0,
        replacement=True,
        rng=rng,
    )


def loop(scores: FloatArray, active: IntArray, pool_size: int, rng: np.random.Generator) -> Any:
    """Draws one at a time."""
    n, winners = len(scores), np.empty(len(active), np.int64)
    for draw, reward in enumerate(active):
        pool = np.arange(n) if pool_size == n else rng.choice(n, size=pool_size)
        logits = scores[pool, reward]
        weights = np.exp(logits - logits.max())
        winners[draw] = rng.choice(pool, p=weights / weights.sum())
    return winners


def multinomial(
    scores: FloatArray, active: IntArray, pool_size: int, rng: np.random.Generator
) -> Any:
    """Batched `torch.multinomial`."""
    n, table = len(scores), torch.from_numpy(scores)
    rewards = torch.from_numpy(active)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    winners = torch.empty(len(active), dtype=torch.int64)
    step = max(1, BATCH_ENTRIES // pool_size)
    for start in range(0, len(active), step):
        batch = rewards[start : start + step]
        if pool_size == n:
            pools = torch.arange(n).expand(len(batch), n)
        else:
            pools = torch.randint(n, (len(batch), pool_size), generator=generator)
        chances = torch.softmax(table[pools, batch[:, None]], dim=1)
        slots = torch.multinomial(chances, 1, generator=generator)
        winners[start : start + step] = pools.gather(1, slots)[:, 0]
    return winners


def call_a_reward(
    scores: FloatArray, active: IntArray, pool_size: int, rng: np.random.Generator
) -> Any:
    """One `torch.multinomial` for all draws of a reward; the pool must be every candidate."""
    assert pool_size == len(scores)
    table, rewards = torch.from_numpy(scores), torch.from_numpy(active)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    winners = torch.empty(len(active), dtype=torch.int64)
    for reward in range(scores.shape[1]):
        mine = rewards == reward
        chances = torch.softmax(table[:, reward], dim=0)
        winners[mine] = torch.multinomial(
            chances, int(mine.sum()), replacement=True, generator=generator
        )
    return winners


def gumbel(scores: FloatArray, active: IntArray, pool_size: int, rng: np.random.Generator) -> Any:
    """Gumbel-max over every entry."""
    n, winners = len(scores), np.empty(len(active), np.int64)
    step = max(1, BATCH_ENTRIES // pool_size)
    for start in range(0, len(active), step):
        batch = active[start : start + step, np.newaxis]
        if pool_size == n:
            pools = np.broadcast_to(np.arange(n), (len(batch), n))
        else:
            pools = rng.integers(0, n, (len(batch), pool_size))
        best = np.argmax(scores[pools, batch] + rng.gumbel(size=pools.shape), axis=1)
        winners[start : start + step] = pools[np.arange(len(batch)), best]
    return winners


REFERENCES: dict[str, Selection] = {"loop": loop, "multinomial": multinomial, "gumbel": gumbel}
SHARED_POOL = {"a call a reward": call_a_reward}


def measure_cell(num_draws: int, pool_size: int, repeats: int) -> dict[str, Any]:
    """Seconds of ours and of each reference (scaled to all draws), and our peak extra bytes."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(NUM_CANDIDATES, NUM_REWARDS))
    active = rng.integers(0, NUM_REWARDS, num_draws)

    def seconds(selection: Selection, draws: int) -> float:
        selection(scores, active[:PILOT], pool_size, rng)  # untimed: what ran before must not count
        begin = time.perf_counter()
        selection(scores, active[:draws], pool_size, rng)
        return (time.perf_counter() - begin) * num_draws / draws

    references = REFERENCES | (SHARED_POOL if pool_size == NUM_CANDIDATES else {})
    timed = {
        name: _affordable(reference, seconds, num_draws) for name, reference in references.items()
    }
    times: dict[str, list[float]] = {name: [] for name in ("ours", *references)}
    for _ in range(repeats):
        times["ours"].append(seconds(ours, num_draws))
        for name, reference in references.items():
            times[name].append(seconds(reference, timed[name]))
    tracemalloc.start()
    ours(scores, active, pool_size, rng)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "draws": num_draws,
        "pool_size": pool_size,
        "seconds": {name: statistics.median(values) for name, values in times.items()},
        "draws_timed": timed,
        "extra_bytes": peak,
    }


def _affordable(
    reference: Selection, seconds: Callable[[Selection, int], float], num_draws: int
) -> int:
    """Draws that fit in SECONDS_PER_REPEAT, all of them when they do, judged from a short run."""
    expected = seconds(reference, PILOT)
    return max(PILOT, min(num_draws, int(num_draws * SECONDS_PER_REPEAT / expected)))


def main() -> None:
    """Measure every cell and print the grid."""
    parser = argparse.ArgumentParser(description="Time Bradley-Terry selection.")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repeats a cell")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"N = {NUM_CANDIDATES}, R = {NUM_REWARDS}, one thread, median of {options.repeats}")
    columns = "".join(f"{name + ' /ours':>22}" for name in REFERENCES | SHARED_POOL)
    print(f"{'draws':>6} {'K':>6} {'ours ms':>9}{columns} {'extra MB':>9}")
    cells = []
    for num_draws in DRAWS:
        for pool_size in POOL_SIZES:
            cell = measure_cell(num_draws, pool_size, options.repeats)
            cells.append(cell)
            print(_line(cell), flush=True)
    print("* scaled up from the first draws, as many as the number after the star")
    if options.json is not None:
        options.json.write_text(json.dumps(cells, indent=2) + "\n")


def _line(cell: dict[str, Any]) -> str:
    base = cell["seconds"]["ours"]
    size = "N" if cell["pool_size"] == NUM_CANDIDATES else cell["pool_size"]
    line = f"{cell['draws']:>6} {size:>6} {base * 1e3:>9.2f}"
    for name in REFERENCES | SHARED_POOL:
        if name not in cell["draws_timed"]:
            line += f"{'-':>22}"
            continue
        timed = cell["draws_timed"][name]
        mark = "" if timed == cell["draws"] else f" *{timed}"
        ratio = cell["seconds"][name] / base
        line += f"{f'{ratio:.1f}x{mark}':>22}"
    return line + f" {cell['extra_bytes'] / 1e6:>9.2f}"


if __name__ == "__main__":
    main()
