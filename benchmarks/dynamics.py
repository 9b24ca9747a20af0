"""How fast is the update on a grid? Run `python -m benchmarks.dynamics`.

Two quadratic rewards on a line of 10^6 points, infinitely many candidates, float64, one thread.
Times are told as multiples of copying the reward matrix, measured in turn with them in one run:
- iteration: a round of `theory.dynamics.trajectory`, exponentials computed once;
- iteration, small: the same once most atoms are below 1e-250 and their state is log p;
- step: one call of `theory.dynamics.step`, checks and exponentials included;
- log-sum-exp: a round of the same update written with `scipy.special.logsumexp`, the reference;
- log-sum-exp, bare: the same in five lines of NumPy, without the care SciPy takes of odd input.
Numbers are medians; the reference and the iteration are also checked to agree.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from theory.dynamics import step, trajectory

FloatArray = npt.NDArray[np.float64]

NUM_ATOMS = 1_000_000
WEIGHTS = np.array([0.5, 0.5])
WARM_ROUNDS = 3  # before the first timed one
SMALL_ROUNDS = 100  # after them most of the line is below 1e-250
AGREEMENT = 1e-12  # largest relative difference of p to the reference after WARM_ROUNDS


def setting() -> tuple[FloatArray, FloatArray]:
    """A flat density and rewards -(x +- 2)^2 on [-6, 6]."""
    axis = np.linspace(-6.0, 6.0, NUM_ATOMS)
    return np.full(NUM_ATOMS, 1 / NUM_ATOMS), np.stack([-((axis + 2) ** 2), -((axis - 2) ** 2)])


def bare_logsumexp(values: FloatArray, axis: int, keepdims: bool = False) -> FloatArray:
    """log sum exp of finite values."""
    top = values.max(axis=axis, keepdims=True)
    total: FloatArray = np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdims else total.squeeze(axis)


def log_round(
    log_p: FloatArray,
    rewards: FloatArray,
    reduce: Callable[..., FloatArray] = logsumexp,
) -> FloatArray:
    """log p' = log p + logsumexp_i(log pi_i + r_i - logsumexp(r_i + log p))."""
    tilted = rewards - reduce(rewards + log_p, axis=1, keepdims=True)
    return log_p + reduce(tilted + np.log(WEIGHTS)[:, np.newaxis], axis=0)


def rounds_after(p: FloatArray, rewards: FloatArray, skipped: int, timed: int) -> Iterator[None]:
    """Stops after the rounds that are not timed, then once a round."""
    path = trajectory(p, rewards, WEIGHTS, iterations=skipped + timed)
    for number, _ in enumerate(path):
        if number >= skipped:
            yield


def measure(repeats: int) -> dict[str, float]:
    """Median seconds of each of the tasks."""
    p, rewards = setting()
    plain = rounds_after(p, rewards, WARM_ROUNDS, repeats)
    small = rounds_after(p, rewards, SMALL_ROUNDS, repeats)
    for path in (plain, small):
        next(path)
    log_p = np.log(p)
    tasks: dict[str, Callable[[], object]] = {
        "copy": lambda: rewards.copy(),
        "iteration": lambda: next(plain),
        "iteration, small": lambda: next(small),
        "step": lambda: step(p, rewards, WEIGHTS),
        "log-sum-exp": lambda: log_round(log_p, rewards),
        "log-sum-exp, bare": lambda: log_round(log_p, rewards, bare_logsumexp),
    }
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            begin = time.perf_counter()
            task()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def check_agreement() -> float:
    """Largest relative difference of our p to the reference's after a few rounds."""
    p, rewards = setting()
    *_, ours = trajectory(p, rewards, WEIGHTS, iterations=WARM_ROUNDS)
    log_p = np.log(p)
    for _ in range(WARM_ROUNDS):
        log_p = log_round(log_p, rewards)
    difference = float(np.abs(ours / np.exp(log_p) - 1).max())
    if difference > AGREEMENT:
        raise SystemExit(f"the update and its reference differ by {difference:g}, relative")
    return difference


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Time the update on a grid.")
    parser.add_argument("--repeats", type=int, default=15, help="interleaved repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    options = parser.parse_args()
    with threadpool_limits(limits=1):
        difference = check_agreement()
        seconds = measure(options.repeats)
    print(f"n = {NUM_ATOMS}, R = 2, threads=1, median of {options.repeats}")
    print(f"{'':<19}{'ms':>9}{'/copy':>9}{'log-sum-exp/':>14}")
    for name, value in seconds.items():
        print(
            f"{name:<19}{value * 1e3:>9.2f}{value / seconds['copy']:>8.1f}x"
            f"{seconds['log-sum-exp'] / value:>13.1f}x"
        )
    print(f"largest relative difference to the reference: {difference:.1e}")
    if options.json is not None:
        options.json.write_text(json.dumps(seconds, indent=2) + "\n")


if __name__ == "__main__":
    main()
