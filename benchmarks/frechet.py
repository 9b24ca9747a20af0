"""How fast is the Fréchet step of FID? Run `python -m benchmarks.frechet`.

From given moments of 2,048 features and 10,000 samples, as every evaluation has them: the distance
by `tasks.frechet` with the reference's square root kept, against torchmetrics' step (eigenvalues of
the unsymmetric product) and once `scipy.linalg.sqrtm` of the product, the textbook form. One
thread, float64, in turn, medians; results are checked to agree. Beside it the distance from 1,000
samples by the smaller matrix, against forming their covariance.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.linalg
import torch
from threadpoolctl import threadpool_limits
from torchmetrics.image.fid import _compute_fid

from tasks.frechet import FeatureMoments, frechet_distance_squared, moments_of

FloatArray = npt.NDArray[np.float64]

WIDTH = 2_048
NUM_SAMPLES = 10_000
FEW_SAMPLES = 1_000
AGREEMENT = 1e-8  # largest relative difference to torchmetrics


def features_of(
    rng: np.random.Generator,
    mixing: FloatArray,  # (D, D)
    num_samples: int,
) -> FloatArray:  # (n, D)
    """Correlated features that are never negative, as Inception's pooled ones."""
    return np.maximum(rng.normal(size=(num_samples, WIDTH)) @ mixing + 0.3, 0.0)


def by_torchmetrics(reference: FeatureMoments, samples: FeatureMoments) -> float:
    """The step torchmetrics takes inside `FrechetInceptionDistance.compute`."""
    arrays = (reference.mean, reference.covariance, samples.mean, samples.covariance)
    return float(_compute_fid(*(torch.from_numpy(array) for array in arrays)))


def by_sqrtm(reference: FeatureMoments, samples: FeatureMoments) -> float:
    """The step as it is usually written."""
    product = scipy.linalg.sqrtm(reference.covariance @ samples.covariance)
    traces = np.trace(reference.covariance) + np.trace(samples.covariance)
    shift = np.sum((reference.mean - samples.mean) ** 2)
    return float(shift + traces - 2 * np.trace(product).real)


def measure(repeats: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds of each repeat and the value of each way."""
    rng = np.random.default_rng(0)
    # A spectrum that falls by three orders, as that of natural images does.
    scales = np.logspace(0, -1.5, WIDTH)[:, np.newaxis]
    mixing = scales * rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    other = mixing + 0.1 * scales * rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    unrooted = moments_of(features_of(rng, mixing, NUM_SAMPLES))
    reference = unrooted.with_root()
    samples = moments_of(features_of(rng, other, NUM_SAMPLES))
    few = features_of(rng, other, FEW_SAMPLES)
    ways: dict[str, Callable[[], float]] = {
        "ours": lambda: frechet_distance_squared(reference, samples),
        "ours, root not kept": lambda: frechet_distance_squared(unrooted, samples),
        "torchmetrics": lambda: by_torchmetrics(reference, samples),
        "few samples": lambda: frechet_distance_squared(reference, few),
        "few samples, covariance": lambda: frechet_distance_squared(reference, moments_of(few)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    values: dict[str, float] = {}
    for _ in range(repeats):
        for name, way in ways.items():
            begin = time.perf_counter()
            values[name] = way()
            times[name].append(time.perf_counter() - begin)
    begin = time.perf_counter()
    values["scipy sqrtm"] = by_sqrtm(reference, samples)
    times["scipy sqrtm"] = [time.perf_counter() - begin]
    return times, values


def main() -> None:
    """Measure, check that all agree, print the table."""
    parser = argparse.ArgumentParser(description="Time the Fréchet step.")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        times, values = measure(options.repeats)
    print(f"D = {WIDTH}, n = {NUM_SAMPLES}, one thread, median of {options.repeats}, sqrtm once")
    print(f"{'way':<26}{'seconds':>9}{'/ ours':>9}{'distance':>18}{'relative difference':>22}")
    for name, seconds in times.items():
        base = "few samples" if name.startswith("few") else "ours"
        ratio = statistics.median(seconds) / statistics.median(times[base])
        difference = abs(values[name] - values[base]) / values[base]
        print(
            f"{name:<26}{statistics.median(seconds):>9.2f}{ratio:>8.2f}x{values[name]:>18.12f}"
            f"{difference:>22.1e}"
        )
        assert difference <= AGREEMENT, f"{name} differs"
    if options.json is not None:
        options.json.write_text(json.dumps({"seconds": times, "values": values}, indent=2) + "\n")


if __name__ == "__main__":
    main()
