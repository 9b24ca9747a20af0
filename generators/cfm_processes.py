"""Several processes that train one field, one a GPU: each takes a share of every batch.

Every process makes the same batches, which are functions of the seed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.checkpoints import CheckpointFolder
from data.errors import ConfigError
from data.images import Shape
from generators.cfm_batches import BatchMaker
from generators.cfm_training import train_field
from generators.network_fit import ALONE, Fit, Sharing
from generators.network_processes import run_together
from generators.ot_cfm_config import OtCfmConfig, Training
from generators.velocity_field import make_field

if TYPE_CHECKING:
    import torch

LESS_MEMORY = "lower generator.processes or the batch size"


@dataclass(frozen=True)
class Job:
    """All that a process needs to train."""

    config: OtCfmConfig
    shape: Shape
    weights: "dict[str, torch.Tensor]"
    batches: BatchMaker
    training: Training
    precision: dict[str, Any]
    checkpoints: CheckpointFolder | None

    def run(self, sharing: Sharing = ALONE) -> Fit:
        """Train here."""
        field = make_field(self.config.field, self.shape, seed=0)
        field.load_state_dict(self.weights, strict=True)
        return train_field(
            field,
            self.batches,
            self.training,
            precision=self.precision,
            checkpoints=self.checkpoints,
            sharing=sharing,
        )


def train_together(job: Job, number: int) -> Fit:
    """The fit of `job` by `number` processes; raises as `run_together` and `train_field`.

    Raises `ConfigError` for a batch that cannot be shared equally: the mean over processes of
    their means would not be that of the batch.
    """
    if job.batches.batch_size % number:
        raise ConfigError(
            f"generator.processes: expected a divisor of the batch size {job.batches.batch_size}, "
            f"got {number}; change one of them, so that shares are equal"
        )
    return run_together(job, number, less_memory=LESS_MEMORY)
