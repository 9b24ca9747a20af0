"""Batches of a flow's training: each a function of the seed and its step alone.

So nothing of a generator's state has to be kept for a resume, and batches can be made ahead of
time, or by several processes, without changing a bit. They are made on the CPU, where the
coupling is solved anyway; images stay bytes until they are drawn. n images of a batch.
"""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.pixels import flipped, signed
from generators.coupling import couple
from generators.network_fit import step_seed

if TYPE_CHECKING:
    import torch

BATCHES_AHEAD = 4


@dataclass(frozen=True)
class Batch:
    """Where on which path the field is asked, and what it should answer."""

    times: "torch.Tensor"  # (n,), in [0, 1)
    positions: "torch.Tensor"  # (n, C, H, W), x_t
    velocities: "torch.Tensor"  # (n, C, H, W), x_1 - x_0

    def share(self, rank: int, number: int) -> "Batch":
        """Every `number`-th row, from row `rank` on."""
        rows = slice(rank, None, number)
        return Batch(self.times[rows], self.positions[rows], self.velocities[rows])


@dataclass(frozen=True)
class BatchMaker:
    """All that decides batches; `make(step)` can be called in any order, from any thread."""

    pixels: "torch.Tensor"  # (N, C, H, W), uint8, on the CPU
    batch_size: int
    flip: bool
    coupling: str
    sigma: float
    seed: int
    pinned: bool = False

    def make(self, step: int) -> Batch:
        """The batch of `step`: images drawn with replacement, noise, times, pairs."""
        import torch

        seed = step_seed(self.seed, step)
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randint(len(self.pixels), (self.batch_size,), generator=generator)
        pixels = self.pixels[rows]
        images = signed(flipped(pixels, generator) if self.flip else pixels)
        noise = torch.randn(images.shape, generator=generator)
        times = torch.rand(self.batch_size, generator=generator)
        noise, images = couple(noise, images, self.coupling, seed=seed)
        velocities = images - noise
        positions = noise.addcmul(velocities, times[:, None, None, None])
        if self.sigma:
            positions += self.sigma * torch.randn(images.shape, generator=generator)
        if self.pinned:
            return Batch(times.pin_memory(), positions.pin_memory(), velocities.pin_memory())
        return Batch(times, positions, velocities)

    def ahead(self, first: int, num_steps: int) -> Generator[Batch, None, None]:
        """Batches of the steps `first` .. `num_steps` - 1, made in a thread before they are asked.

        torchcfm's coupling borrows numpy's global generator, so it is made in line.
        """
        if self.coupling == "torchcfm":
            yield from (self.make(step) for step in range(first, num_steps))
            return
        thread = ThreadPoolExecutor(1, thread_name_prefix="coupling")
        coming: deque[Future[Batch]] = deque()
        try:
            for step in range(first, num_steps + BATCHES_AHEAD):
                if step < num_steps:
                    coming.append(thread.submit(self.make, step))
                if step - first >= BATCHES_AHEAD and coming:
                    yield coming.popleft().result()
        finally:
            thread.shutdown(cancel_futures=True)
