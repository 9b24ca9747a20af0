"""The one training loop of flows: pretraining and fine-tuning (paper, section C.5).

With images x_1, noise x_0, their coupling and t uniform, the field v is fitted by least squares:
mean of (v(t, (1 - t) x_0 + t x_1) - (x_1 - x_0))^2 over all values of a batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from data.checkpoints import CheckpointFolder
from data.compute import compute
from data.errors import BadNumbers
from data.training_state import read_state, write_state
from generators.cfm_batches import Batch, BatchMaker, step_seed
from generators.cfm_precision import computing_in, laid_out
from generators.ot_cfm_config import Training
from generators.weight_average import move_average

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
STEPS_PER_LOOK = 50  # asking a GPU for a number makes it wait, so losses are looked at in chunks


@dataclass(frozen=True)
class Fit:
    """Averaged weights on the CPU and the loss of every step."""

    weights: dict[str, "torch.Tensor"]
    losses: FloatArray  # (num_steps,)


class Sharing(Protocol):
    """How processes share the work of a fit."""

    rank: int

    def share(self, batch: Batch) -> Batch:
        """The rows of a batch that this process takes."""
        ...

    def average(self, tensors: "Sequence[torch.Tensor]") -> None:
        """Replace each tensor by its mean over the processes, in place."""
        ...


class Alone:
    """One process."""

    rank = 0

    def share(self, batch: Batch) -> Batch:
        """The whole batch."""
        return batch

    def average(self, tensors: "Sequence[torch.Tensor]") -> None:
        """Nothing to do."""


ALONE = Alone()


def train_field(
    field: "torch.nn.Module",
    batches: BatchMaker,
    training: Training,
    *,
    precision: dict[str, Any],
    checkpoints: CheckpointFolder | None = None,
    sharing: Sharing = ALONE,
) -> Fit:
    """Fit `field`, whose weights are where it starts; it is left changed.

    Goes on from the latest checkpoint, to the same bytes as without a stop. Raises `BadNumbers`
    naming the first step whose loss or gradient is not finite; no checkpoint is written after it.
    """
    import torch

    device = compute().device
    field = laid_out(field, precision, device).train()
    state = _State(field, training)
    first = state.restore(checkpoints)
    forward = torch.compile(field) if precision["compiled"] else field
    with (
        _own_generators(device),
        closing(batches.ahead(first, training.num_steps)) as coming,
    ):
        for step, batch in enumerate(coming, start=first):
            share = sharing.share(batch)
            # Dropout draws from torch's global generator.
            _seed_generators(device, step_seed(batches.seed, step) ^ sharing.rank)
            times, positions, velocities = (
                tensor.to(device, non_blocking=True)
                for tensor in (share.times, share.positions, share.velocities)
            )
            with computing_in(precision, device, autocast=True):
                answer = forward(times, positions)
                loss = (answer.float() - velocities).square().mean()
                loss.backward()
            sharing.average([loss.detach(), *state.gradients()])
            state.advance(step, loss.detach())
            done = step + 1
            is_checkpoint = done % training.checkpoint_every == 0 and done < training.num_steps
            if device == "cpu" or is_checkpoint or done % STEPS_PER_LOOK == 0:
                state.look(done)
            if is_checkpoint and checkpoints is not None and sharing.rank == 0:
                checkpoints.commit({"step": done}, state.write)
    state.look(training.num_steps)
    return Fit(state.averaged(), state.losses.cpu().double().numpy())


class _State:
    """All that changes from step to step."""

    def __init__(self, field: "torch.nn.Module", training: Training) -> None:
        import torch

        self.field = field
        self.training = training
        self.weights = list(field.parameters())
        self.average = [weight.detach().clone() for weight in self.weights]
        self.optimizer = torch.optim.Adam(self.weights, training.learning_rate, fused=True)
        device = self.weights[0].device
        self.losses = torch.zeros(training.num_steps, device=device)
        self.norms = torch.zeros(training.num_steps, device=device)
        self.looked_at = 0

    def gradients(self) -> list["torch.Tensor"]:
        """Gradients of the present step."""
        return [weight.grad for weight in self.weights if weight.grad is not None]

    def advance(self, step: int, loss: "torch.Tensor") -> None:
        """One optimizer step."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self.training.rate(step)
        self.losses[step] = loss
        self.norms[step] = torch.nn.utils.clip_grad_norm_(self.weights, self.training.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        move_average(self.average, self.weights, decay=self.training.decay(step))

    def look(self, done: int) -> None:
        """Raise `BadNumbers` for the first bad step not looked at before, of `done` steps."""
        import torch

        both = torch.stack([self.losses[self.looked_at : done], self.norms[self.looked_at : done]])
        if not bool(torch.isfinite(both).all()):
            bad = int(torch.isfinite(both).all(dim=0).logical_not().nonzero()[0])
            loss, norm = both[:, bad].tolist()
            raise BadNumbers(
                f"generator ot-cfm: expected a finite loss and gradient, got {loss} and norm "
                f"{norm} in step {self.looked_at + bad} of {self.training.num_steps}; lower "
                "learning_rate or clip, or use precision fp32"
            )
        self.looked_at = done

    def averaged(self) -> dict[str, "torch.Tensor"]:
        """The averaged weights by name, on the CPU."""
        import torch

        names = [name for name, _ in self.field.named_parameters()]
        return {
            name: average.to("cpu", memory_format=torch.contiguous_format)
            for name, average in zip(names, self.average, strict=True)
        }

    def write(self, folder: Any) -> None:
        """Everything a resume needs; batches and dropout follow from the seed and the step."""
        import torch

        tensors: dict[str, dict[str, torch.Tensor]] = {
            "weights": dict(self.field.named_parameters()),
            "average": {str(index): tensor for index, tensor in enumerate(self.average)},
            "log": {"losses": self.losses[: self.looked_at]},
        }
        write_state(folder, tensors=tensors, optimizer=self.optimizer)

    def restore(self, checkpoints: CheckpointFolder | None) -> int:
        """Steps done according to the latest checkpoint, which is read; 0 without one."""
        import torch

        found = checkpoints.latest() if checkpoints is not None else None
        if found is None:
            return 0
        position, folder = found
        done = int(position["step"])
        groups = read_state(folder, optimizer=self.optimizer)
        with torch.no_grad():
            for name, weight in self.field.named_parameters():
                weight.copy_(groups["weights"][name])
            for index, average in enumerate(self.average):
                average.copy_(groups["average"][str(index)])
            # Moments come back contiguous; the fused step wants them laid out as their weight.
            for parameter, values in self.optimizer.state.items():
                for name, value in values.items():
                    if value.shape == parameter.shape:
                        values[name] = torch.empty_like(parameter).copy_(value)
            self.losses[:done] = groups["log"]["losses"]
        self.looked_at = done
        return done


@contextmanager
def _own_generators(device: str) -> Iterator[None]:
    """torch's global generators put back afterwards."""
    import torch

    used = [] if device == "cpu" else [torch.cuda.current_device()]
    with torch.random.fork_rng(devices=used):
        yield


def _seed_generators(device: str, seed: int) -> None:
    import torch

    torch.default_generator.manual_seed(seed)
    if device != "cpu":
        torch.cuda.manual_seed(seed)
