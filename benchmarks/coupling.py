"""What does coupling noise and images cost a training step? Run `python -m benchmarks.coupling`.

First, optimal coupling of one batch: our linear assignment against torchcfm's `sample_plan`, both
on one thread. Second, the training loop with batches made in line and ahead of time, coupled by
assignment and not at all: what coupling adds when made ahead, over what it adds in line, is the
share that is left to see. Loops take turns; medians, and ratios of medians of paired differences;
of wall time, which needs a second core that is idle, and of the training thread's own time.
`--cifar10 FOLDER` (with train.parquet) couples real images; otherwise random blocks of colour.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Generator
from typing import Any

import torch

from data.image_data import Cifar10Data, load_images
from generators.cfm_batches import Batch, BatchMaker
from generators.cfm_precision import resolved_precision
from generators.cfm_training import train_field
from generators.coupling import assignment, torchcfm_pairs
from generators.ot_cfm_config import MlpField, OtCfmConfig, Training
from generators.velocity_field import make_field

SIDE = 32
BATCHES = (64, 128, 256)
FIELD = MlpField(width=512, num_hidden=3)
STEPS = 12  # of a timed loop


class InLine(BatchMaker):
    """The same batches, each made when it is asked for."""

    def ahead(self, first: int, num_steps: int) -> Generator[Batch, None, None]:
        """Batches without a thread."""
        yield from (self.make(step) for step in range(first, num_steps))


def pixels(folder: str | None) -> torch.Tensor:
    """Bytes of 2,000 images, (n, 3, 32, 32)."""
    if folder is not None:
        config = Cifar10Data(origin="parquet", path=folder, per_class=200)
        images = torch.from_numpy(load_images(config, "train").images.copy())
        return images.permute(0, 3, 1, 2).contiguous()
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randint(256, (2000, 3, 4, 4), generator=generator, dtype=torch.uint8)
    return blocks.repeat_interleave(SIDE // 4, 2).repeat_interleave(SIDE // 4, 3)


def seconds(call: Callable[[], Any]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def couple_once(images: torch.Tensor, repeats: int) -> None:
    """Print milliseconds of both couplings for each batch size."""
    print(f"{'batch':>6} {'assignment ms':>14} {'sample_plan ms':>15} {'ratio':>6}")
    generator = torch.Generator().manual_seed(1)
    for size in BATCHES:
        ours, theirs = [], []
        for repeat in range(repeats + 2):
            rows = torch.randint(len(images), (size,), generator=generator)
            batch = images[rows].float() / 127.5 - 1
            noise = torch.randn(batch.shape, generator=generator)

            def by_assignment(noise: torch.Tensor = noise, batch: torch.Tensor = batch) -> Any:
                return noise, batch[assignment(noise, batch)]

            def by_plan(noise: torch.Tensor = noise, batch: torch.Tensor = batch) -> Any:
                return torchcfm_pairs(noise, batch, seed=0)

            pair = seconds(by_assignment), seconds(by_plan)
            if repeat >= 2:  # the first calls import and warm up
                ours.append(pair[0])
                theirs.append(pair[1])
        mine, reference = statistics.median(ours), statistics.median(theirs)
        print(f"{size:>6} {mine * 1e3:>14.2f} {reference * 1e3:>15.2f} {reference / mine:>5.2f}x")


def train(images: torch.Tensor, maker: type[BatchMaker], coupling: str) -> tuple[float, float]:
    """Wall and thread seconds a step of the product's training loop at batch 128."""
    batches = maker(images, 128, flip=True, coupling=coupling, sigma=0.0, seed=0)
    training = Training(num_steps=STEPS)
    field = make_field(FIELD, (SIDE, SIDE, 3), seed=0)
    precision = resolved_precision(OtCfmConfig(field=FIELD), "cpu")
    thread = time.thread_time()
    wall = seconds(lambda: train_field(field, batches, training, precision=precision))
    return wall / STEPS, (time.thread_time() - thread) / STEPS


def hide(images: torch.Tensor, repeats: int) -> None:
    """Print milliseconds a step of each loop, and the share of the coupling's cost hidden."""
    loops: dict[tuple[str, str], type[BatchMaker]] = {
        ("in line", "independent"): InLine,
        ("in line", "assignment"): InLine,
        ("ahead", "independent"): BatchMaker,
        ("ahead", "assignment"): BatchMaker,
        ("in line", "torchcfm"): BatchMaker,
    }
    times: dict[tuple[str, str], list[tuple[float, float]]] = {loop: [] for loop in loops}
    for repeat in range(repeats + 1):
        for (where, coupling), maker in loops.items():
            taken = train(images, maker, coupling)
            if repeat:
                times[where, coupling].append(taken)
    for (where, coupling), values in times.items():
        wall, thread = (statistics.median(column) * 1e3 for column in zip(*values, strict=True))
        print(f"{where:>8} {coupling:>12} {wall:>8.2f} ms a step, {thread:>7.2f} of the thread")
    for clock, what in enumerate(("wall", "training thread")):
        added = {
            where: statistics.median(
                coupled[clock] - plain[clock]
                for coupled, plain in zip(
                    times[where, "assignment"], times[where, "independent"], strict=True
                )
            )
            for where in ("in line", "ahead")
        }
        print(
            f"{what}: coupling adds {added['in line'] * 1e3:.2f} ms a step in line, "
            f"{added['ahead'] * 1e3:.2f} ahead: {1 - added['ahead'] / added['in line']:.0%} hidden"
        )


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description="Time the coupling of noise and images.")
    parser.add_argument("--repeats", type=int, default=15, help="interleaved repeats of a loop")
    parser.add_argument("--cifar10", metavar="FOLDER", help="folder with train.parquet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    images = pixels(options.cifar10)
    print(f"3,072 dimensions, one thread, median of {4 * options.repeats}")
    couple_once(images, 4 * options.repeats)
    print(
        f"training loop: MLP of width 512, batch 128, median of {options.repeats} x {STEPS} steps"
    )
    hide(images, options.repeats)


if __name__ == "__main__":
    main()
