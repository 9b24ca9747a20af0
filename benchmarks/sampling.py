"""What does sampling cost beside the network? Run `python -m benchmarks.sampling`.

Wall time of `OtCfm.sample` (noise, solver, bytes, table) over that of as many calls of the network
on the same batches as the solver makes. One thread; both take turns; median of paired ratios, of
wall and of processor time, which differ only on a machine that is busy otherwise.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from generators.ot_cfm import OtCfm
from generators.ot_cfm_config import MlpField, OtCfmConfig, Sampler, UNetField
from generators.velocity_field import make_field

EVALUATIONS = {"euler": 1, "midpoint": 2, "heun": 2}
UNET = UNetField(
    channels=32, num_res_blocks=1, channel_mult=(1, 2), num_head_channels=32,
    attention_resolutions=(8,),
)  # fmt: skip
CASES: tuple[tuple[str, MlpField | UNetField, tuple[int, int, int], int, Sampler], ...] = (
    ("mlp 8x8", MlpField(), (8, 8, 1), 1000, Sampler(method="euler", num_steps=8)),
    ("mlp 8x8", MlpField(), (8, 8, 1), 1000, Sampler(method="midpoint", num_steps=4)),
    ("u-net 16x16", UNET, (16, 16, 3), 32, Sampler(method="midpoint", num_steps=4, batch_size=16)),
    ("u-net 16x16", UNET, (16, 16, 3), 32, Sampler(method="heun", num_steps=4, batch_size=16)),
)


def seconds(call: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor time of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def measure(
    field_config: MlpField | UNetField,
    shape: tuple[int, int, int],
    num_samples: int,
    sampler: Sampler,
    repeats: int,
) -> tuple[float, float, float, float]:
    """Median wall of sampling and of its network calls; medians of both ratios."""
    config = OtCfmConfig(field=field_config, sampler=sampler)
    field = make_field(field_config, shape, seed=0).eval()
    weights = {name: weight.detach() for name, weight in field.named_parameters()}
    model = OtCfm(config, shape, weights, np.empty(0))
    height, width, channels = shape
    state = torch.randn(num_samples, channels, height, width)
    times = torch.full((num_samples,), 0.5)
    calls = EVALUATIONS[sampler.method] * sampler.num_steps

    def network() -> None:
        with torch.inference_mode():
            for start in range(0, num_samples, sampler.batch_size):
                rows = slice(start, start + sampler.batch_size)
                for _ in range(calls):
                    field(times[rows], state[rows])

    pairs = []

    def whole() -> None:
        model.sample(num_samples, seed=0)

    for repeat in range(repeats + 2):
        # Either goes first in every other turn, since the first of two may find a colder cache.
        if repeat % 2:
            network_first = seconds(network)
            pair = seconds(whole), network_first
        else:
            pair = seconds(whole), seconds(network)
        if repeat >= 2:
            pairs.append(pair)
    return (
        statistics.median(sampled[0] for sampled, _ in pairs),
        statistics.median(alone[0] for _, alone in pairs),
        statistics.median(sampled[0] / alone[0] for sampled, alone in pairs),
        statistics.median(sampled[1] / alone[1] for sampled, alone in pairs),
    )


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description="Time sampling against its network calls.")
    parser.add_argument("--repeats", type=int, default=31, help="interleaved repeats of a case")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"one thread, median of {options.repeats}")
    print(
        f"{'field':>12} {'images':>7} {'solver':>12} {'sample s':>9} {'network s':>10} "
        f"{'ratio':>6} {'CPU':>6}"
    )
    for name, field, shape, num_samples, sampler in CASES:
        wall, network, ratio, processor = measure(
            field, shape, num_samples, sampler, options.repeats
        )
        solver = f"{sampler.method} {sampler.num_steps}"
        print(
            f"{name:>12} {num_samples:>7} {solver:>12} {wall:>9.3f} {network:>10.3f} {ratio:>6.3f} "
            f"{processor:>6.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
