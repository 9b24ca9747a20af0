"""The one training loop of causal language models: pretraining and fine-tuning.

The loss of a step is the cross entropy summed over all targets of its texts, over their number:
what it is does not depend on how many texts are in memory at once, or on how many processes
share them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data.checkpoints import CheckpointFolder
from data.compute import compute
from data.sharded_tensors import split_like, whole, whole_on_cpu
from data.training_state import read_state, whole_state, write_whole_state
from generators.causal_lm_config import FineTuning
from generators.lm_loss import summed_cross_entropy
from generators.lm_memory import enough_memory, recomputed_activations
from generators.lm_optimizer import learning_rate, make_optimizer
from generators.lm_rows import (
    USER,
    RowOrder,
    TokenRow,
    check_rows,
    even_micro_batches,
    micro_batches,
    share_of,
)
from generators.lm_sharding import shard
from generators.lora import adapted, merged
from generators.network_fit import (
    ALONE,
    Fit,
    Sharing,
    StepLog,
    own_generators,
    seed_generators,
    step_seed,
)
from generators.network_precision import computing_in, in_precision

if TYPE_CHECKING:
    import torch


def fine_tune(
    model: "torch.nn.Module",
    rows: Sequence[TokenRow],
    tuning: FineTuning,
    *,
    precision: dict[str, Any],
    seed: int,
    checkpoints: CheckpointFolder | None = None,
    sharing: Sharing = ALONE,
    sharded: bool = False,
) -> Fit:
    """Fit `model`, a causal language model of transformers, to the targets of `rows`.

    It is left changed, on the device and in the precision it was trained in; if `sharded`, every
    process is left with a part of it. The process of rank 0 alone gets the weights. Goes on from
    the latest checkpoint, to the same bytes as without a stop.

    Raises `ConfigError` as `check_rows`, `adapted` and `recomputed_activations`, `StageFailed`
    where the memory is too small, `BadNumbers` naming the first step whose loss or gradient is
    not finite; no checkpoint is written after it.
    """
    assert not sharded or tuning.lora is None
    check_model_rows(model, rows)
    device = compute().device
    with own_generators(device), enough_memory(tuning, device):
        seed_generators(device, seed)
        # What is split goes to the device part by part, as the whole may not fit on it.
        model = in_precision(model, precision, "cpu" if sharded else device)
        network = model.requires_grad_(True)
        if tuning.lora is not None:
            network = adapted(model, tuning.lora)
        if sharded:
            shard(model, device, number=sharing.number)
        steps = RowOrder(len(rows), tuning.batch_size, tuning.num_epochs, seed)
        state = _State(network.train(), tuning, steps.num_steps)
        first = state.restore(checkpoints)
        with recomputed_activations(model, tuning.gradient_checkpointing):
            for step in range(first, steps.num_steps):
                chosen = [rows[index] for index in steps.rows(step)]
                # Dropout draws from torch's global generator.
                seed_generators(device, step_seed(seed, step) ^ sharing.rank)
                loss = _add_gradients(network, chosen, tuning, precision, sharing, sharded=sharded)
                gradients = state.gradients()
                sharing.average([loss] if sharded else [loss, *gradients])
                state.advance(step, loss)
                done = step + 1
                is_checkpoint = done % tuning.checkpoint_every == 0 and done < steps.num_steps
                state.log.look_if_due(done, before_checkpoint=is_checkpoint)
                if is_checkpoint and checkpoints is not None:
                    state.commit(checkpoints, done, keep=sharing.rank == 0)
        state.log.look(steps.num_steps)
        plain = network if tuning.lora is None else merged(network)
        return Fit(weights_of(plain, keep=sharing.rank == 0), state.log.all_losses())


def check_model_rows(model: "torch.nn.Module", rows: Sequence[TokenRow]) -> None:
    """Raise `ConfigError` for rows that the model cannot be fitted to."""
    network: Any = model
    longest = getattr(network.config, "max_position_embeddings", None)
    check_rows(rows, max_length=longest, vocabulary=network.config.vocab_size)


def weights_of(model: "torch.nn.Module", *, keep: bool = True) -> "dict[str, torch.Tensor]":
    """The weights by name, whole, on the CPU; tied ones once, under their first name.

    Those that are not split are the model's own memory where that is on the CPU. Without `keep`
    there are none: every process that has parts of them has to call.
    """
    return whole_on_cpu(dict(model.named_parameters()), keep=keep)


def set_weights(model: "torch.nn.Module", weights: "dict[str, torch.Tensor]") -> None:
    """Copy weights as of `weights_of` into a model of the same architecture."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(weights[name])


def _add_gradients(
    network: "torch.nn.Module",
    rows: Sequence[TokenRow],
    tuning: FineTuning,
    precision: dict[str, Any],
    sharing: Sharing,
    *,
    sharded: bool,
) -> "torch.Tensor":
    """Loss of this process's share of a step, whose gradient is added up in the weights.

    It is scaled so that the mean over processes is the loss of the whole step.
    """
    import torch

    device = compute().device
    scale = sharing.number / sum(row.num_targets for row in rows)
    size, rank, number = tuning.micro_batch_size, sharing.rank, sharing.number
    if sharded:
        # A process that lacks texts still has to give the others its part of the weights.
        batches = even_micro_batches(rows, size, rank=rank, number=number)
    else:
        batches = micro_batches(share_of(rows, rank=rank, number=number), size)
    double = precision["dtype"] == "float64"
    loss = torch.zeros((), device=device, dtype=torch.float64 if double else torch.float32)
    for batch in batches:
        # Rounded copies of all weights would take the memory that splitting them has saved.
        with computing_in(precision, device, autocast=True, keep_rounded=not sharded):
            part = summed_cross_entropy(network, batch, device) * scale
            part.backward()  # type: ignore[no-untyped-call]
        loss += part.detach()
    return loss


class _State:
    """All that changes from step to step."""

    def __init__(self, network: "torch.nn.Module", tuning: FineTuning, num_steps: int) -> None:
        self.tuning = tuning
        self.trained = {
            name: weight for name, weight in network.named_parameters() if weight.requires_grad
        }
        self.optimizer = make_optimizer(self.trained.values(), tuning)
        self.log = StepLog(num_steps, compute().device, user=USER)

    def gradients(self) -> list["torch.Tensor"]:
        """Gradients of the present step; 0 where a share of it had none, as it had no rows."""
        import torch

        for weight in self.trained.values():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        return [weight.grad for weight in self.trained.values() if weight.grad is not None]

    def advance(self, step: int, loss: "torch.Tensor") -> None:
        """One optimizer step."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.tuning, step, len(self.log.losses))
        self.log.losses[step] = loss
        norm = torch.nn.utils.clip_grad_norm_(self.trained.values(), self.tuning.clip)
        self.log.norms[step] = whole(norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def commit(self, checkpoints: CheckpointFolder, done: int, *, keep: bool) -> None:
        """Everything a resume needs; the rows of a step and dropout follow from seed and step.

        Every process has to call, of which one alone has `keep` and writes.
        """
        tensors: dict[str, dict[str, torch.Tensor]] = {
            "weights": dict(self.trained),
            "log": {"losses": self.log.good_losses},
        }
        state = whole_state(tensors=tensors, optimizer=self.optimizer, keep=keep)
        if keep:
            checkpoints.commit({"step": done}, lambda folder: write_whole_state(folder, state))

    def restore(self, checkpoints: CheckpointFolder | None) -> int:
        """Steps done according to the latest checkpoint, which is read; 0 without one."""
        import torch

        found = checkpoints.latest() if checkpoints is not None else None
        if found is None:
            return 0
        position, folder = found
        groups = read_state(folder, optimizer=self.optimizer)
        with torch.no_grad():
            for name, weight in self.trained.items():
                weight.copy_(split_like(groups["weights"][name], weight))
        self.log.restore(groups["log"]["losses"])
        return int(position["step"])
