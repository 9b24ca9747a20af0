"""What every training loop of a network has: a log of its steps, seeds, a share of the work."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from data.errors import BadNumbers

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
STEPS_PER_LOOK = 50  # asking a GPU for a number makes it wait, so losses are looked at in chunks


@dataclass(frozen=True)
class Fit:
    """Trained weights on the CPU and the loss of every step."""

    weights: dict[str, "torch.Tensor"]
    losses: FloatArray  # (num_steps,)


def weight_metrics(weights: "Mapping[str, torch.Tensor]") -> dict[str, float]:
    """Number of parameters and Euclidean norm of all of them."""
    # In order of name, since a saved model comes back in another one.
    tensors = [weights[name] for name in sorted(weights)]
    squares = sum(float(tensor.double().square().sum()) for tensor in tensors)
    return {
        "num_parameters": float(sum(tensor.numel() for tensor in tensors)),
        "weight_norm": float(np.sqrt(squares)),
    }


class Sharing(Protocol):
    """Which share of every step a process takes: `rank` of `number`."""

    rank: int
    number: int

    def average(self, tensors: "Sequence[torch.Tensor]") -> None:
        """Replace each tensor by its mean over the processes, in place."""
        ...


class Alone:
    """One process."""

    rank = 0
    number = 1

    def average(self, tensors: "Sequence[torch.Tensor]") -> None:
        """Nothing to do."""


ALONE = Alone()


class StepLog:
    """Loss of every step and norm of its gradient; one that is not finite is an error.

    `user` names whose training it is in that error.
    """

    def __init__(self, num_steps: int, device: str, *, user: str) -> None:
        import torch

        self.losses = torch.zeros(num_steps, device=device)
        self.norms = torch.zeros(num_steps, device=device)
        self.looked_at = 0
        self._user = user

    def look_if_due(self, done: int, *, before_checkpoint: bool) -> None:
        """Look at `done` steps where that costs nothing, or has to be."""
        on_cpu = self.losses.device.type == "cpu"
        if on_cpu or before_checkpoint or done % STEPS_PER_LOOK == 0:
            self.look(done)

    def look(self, done: int) -> None:
        """Raise `BadNumbers` for the first bad step not looked at before, of `done` steps."""
        import torch

        both = torch.stack([self.losses[self.looked_at : done], self.norms[self.looked_at : done]])
        if not bool(torch.isfinite(both).all()):
            bad = int(torch.isfinite(both).all(dim=0).logical_not().nonzero()[0])
            loss, norm = both[:, bad].tolist()
            raise BadNumbers(
                f"{self._user}: expected a finite loss and gradient, got {loss} and norm {norm} in "
                f"step {self.looked_at + bad} of {len(self.losses)}; lower learning_rate or clip, "
                "or use precision fp32"
            )
        self.looked_at = done

    @property
    def good_losses(self) -> "torch.Tensor":
        """Losses of the steps looked at."""
        return self.losses[: self.looked_at]

    def restore(self, losses: "torch.Tensor") -> None:
        """Begin after steps that had these losses."""
        self.looked_at = len(losses)
        self.losses[: self.looked_at] = losses

    def all_losses(self) -> FloatArray:
        """Losses of all steps, once training has ended."""
        return self.losses.cpu().double().numpy()


def step_seed(seed: int, step: int) -> int:
    """Seed of one step, in [0, 2^63).

    torch's generator on the CPU and numpy's global one take the low 32 bits alone: of 400,000
    steps about 19 pairs have equal batches, of 1,000 none in all likelihood. torchcfm's coupling
    starts numpy's Mersenne Twister where torch's starts for the same step; what they make of its
    words differs (remainders, leading bits). Both stay, as other bits would be other results.
    """
    words = np.random.SeedSequence(seed, spawn_key=(step,)).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


@contextmanager
def own_generators(device: str) -> Iterator[None]:
    """torch's global generators put back afterwards."""
    import torch

    used = [] if device == "cpu" else [torch.cuda.current_device()]
    with torch.random.fork_rng(devices=used):
        yield


def seed_generators(device: str, seed: int) -> None:
    """Seed torch's global generators, which dropout and random weights draw from."""
    import torch

    torch.default_generator.manual_seed(seed)
    if device != "cpu":
        torch.cuda.manual_seed(seed)
