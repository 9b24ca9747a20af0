"""The one training loop of flows: pretraining and fine-tuning (paper, section C.5).

With images x_1, noise x_0, their coupling and t uniform, the field v is fitted by least squares:
mean of (v(t, (1 - t) x_0 + t x_1) - (x_1 - x_0))^2 over all values of a batch.
"""

from contextlib import closing
from typing import TYPE_CHECKING, Any

from data.checkpoints import CheckpointFolder
from data.compute import compute
from data.training_state import read_state, write_state
from generators.cfm_batches import BatchMaker
from generators.cfm_precision import laid_out
from generators.network_fit import (
    ALONE,
    Fit,
    Sharing,
    StepLog,
    own_generators,
    seed_generators,
    step_seed,
)
from generators.network_precision import computing_in
from generators.ot_cfm_config import Training
from generators.weight_average import move_average

if TYPE_CHECKING:
    import torch


def train_field(
    field: "torch.nn.Module",
    batches: BatchMaker,
    training: Training,
    *,
    precision: dict[str, Any],
    checkpoints: CheckpointFolder | None = None,
    sharing: Sharing = ALONE,
) -> Fit:
    """Fit `field`, whose weights are where it starts; it is left changed. Gives averaged weights.

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
        own_generators(device),
        closing(batches.ahead(first, training.num_steps)) as coming,
    ):
        for step, batch in enumerate(coming, start=first):
            share = batch.share(sharing.rank, sharing.number)
            # Dropout draws from torch's global generator.
            seed_generators(device, step_seed(batches.seed, step) ^ sharing.rank)
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
            state.log.look_if_due(done, before_checkpoint=is_checkpoint)
            if is_checkpoint and checkpoints is not None and sharing.rank == 0:
                checkpoints.commit({"step": done}, state.write)
    state.log.look(training.num_steps)
    return Fit(state.averaged(), state.log.all_losses())


class _State:
    """All that changes from step to step."""

    def __init__(self, field: "torch.nn.Module", training: Training) -> None:
        import torch

        self.field = field
        self.training = training
        self.weights = list(field.parameters())
        self.average = [weight.detach().clone() for weight in self.weights]
        self.optimizer = torch.optim.Adam(self.weights, training.learning_rate, fused=True)
        device = self.weights[0].device.type
        self.log = StepLog(training.num_steps, device, user="generator ot-cfm")

    def gradients(self) -> list["torch.Tensor"]:
        """Gradients of the present step."""
        return [weight.grad for weight in self.weights if weight.grad is not None]

    def advance(self, step: int, loss: "torch.Tensor") -> None:
        """One optimizer step."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self.training.rate(step)
        self.log.losses[step] = loss
        self.log.norms[step] = torch.nn.utils.clip_grad_norm_(self.weights, self.training.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        move_average(self.average, self.weights, decay=self.training.decay(step))

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
            "log": {"losses": self.log.good_losses},
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
        self.log.restore(groups["log"]["losses"])
        return done
