"""Several processes that fine-tune one language model, one a GPU: each takes texts of every step.

Each keeps the model and its optimizer whole, or a part of both.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.checkpoints import CheckpointFolder
from generators.causal_lm_config import FineTuning
from generators.lm_memory import LESS_MEMORY
from generators.lm_rows import TokenRow
from generators.lm_sharding import check_sharding
from generators.lm_training import check_model_rows, fine_tune, set_weights, weights_of
from generators.network_fit import Fit, Sharing
from generators.network_precision import in_precision
from generators.network_processes import run_together

if TYPE_CHECKING:
    import torch

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Job:
    """All that a process needs to train; weights come by a file, as shared memory may be small."""

    architecture: type["torch.nn.Module"]
    config: Any  # of transformers
    weights: Path
    rows: Sequence[TokenRow]
    tuning: FineTuning
    precision: dict[str, Any]
    seed: int
    checkpoints: CheckpointFolder | None
    sharded: bool

    def run(self, sharing: Sharing) -> Fit:
        """Train here."""
        from safetensors.torch import load_file

        model = in_precision(self.architecture(self.config), self.precision, "cpu")
        set_weights(model, load_file(self.weights))
        return fine_tune(
            model,
            self.rows,
            self.tuning,
            precision=self.precision,
            seed=self.seed,
            checkpoints=self.checkpoints,
            sharing=sharing,
            sharded=self.sharded,
        )


def fine_tune_together(
    model: "torch.nn.Module",
    rows: Sequence[TokenRow],
    tuning: FineTuning,
    *,
    precision: dict[str, Any],
    seed: int,
    processes: int,
    checkpoints: CheckpointFolder | None = None,
    sharded: bool = False,
) -> Fit:
    """As `fine_tune`, by so many processes; the model is left changed here, on the CPU.

    If `sharded`, each of several keeps a part of it and of its optimizer; while they start, each
    has the whole model in the CPU's memory. The result is that of one process up to rounding,
    with dropout up to what is dropped. Raises as `fine_tune` and `check_sharding`;
    `EnvironmentProblem` where there are fewer GPUs than processes, `StageFailed` where one of
    them is killed.
    """
    from safetensors.torch import save_file

    if processes == 1:
        return fine_tune(
            model, rows, tuning, precision=precision, seed=seed, checkpoints=checkpoints
        )
    check_model_rows(model, rows)
    if sharded:
        check_sharding(model)
    network: Any = model
    with tempfile.TemporaryDirectory(prefix="pluralist-model-") as folder:
        path = Path(folder) / WEIGHTS
        save_file({name: one.contiguous() for name, one in weights_of(model).items()}, path)
        job = Job(
            type(model), network.config, path, rows, tuning, precision, seed, checkpoints, sharded
        )
        fit = run_together(job, processes, less_memory=LESS_MEMORY)
    set_weights(in_precision(model, precision, "cpu"), fit.weights)
    return fit
