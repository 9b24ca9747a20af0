"""Several processes that train one field: each takes a share of every batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.cfm_batches import Batch

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Processes:
    """This process among all."""

    rank: int = 0
    number: int = 1

    def share(self, batch: Batch) -> Batch:
        """The rows of the batch that this process takes."""
        if self.number == 1:
            return batch
        rows = slice(self.rank, None, self.number)
        return Batch(batch.times[rows], batch.positions[rows], batch.velocities[rows])

    def average(self, tensors: Sequence["torch.Tensor"]) -> None:
        """Replace each tensor by its mean over the processes, in place."""
        if self.number == 1:
            return
        from torch import distributed

        for tensor in tensors:
            distributed.all_reduce(tensor, distributed.ReduceOp.SUM)
            tensor /= self.number


ALONE = Processes()
