"""What training needs of memory: activations computed again, and what to say where it lacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, StageFailed
from data.torch_session import lacks_memory, memory_reason
from generators.causal_lm_config import FineTuning
from generators.lm_rows import USER

if TYPE_CHECKING:
    import torch

LESS_MEMORY = (
    "free memory that others use, or fork with a lower generator.refit.micro_batch_size, which "
    "keeps the step what it is, or with generator.refit.gradient_checkpointing=true (of "
    "initial.pretraining for the initial model)"
)


@contextmanager
def enough_memory(tuning: FineTuning, device: str) -> Iterator[None]:
    """Raise `StageFailed`, naming the settings to lower, where the work inside does not fit."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        at_once = min(tuning.micro_batch_size or tuning.batch_size, tuning.batch_size)
        raise StageFailed(
            f"{USER}: expected training with {at_once} texts at once to fit into the memory of "
            f"{device}, it did not ({memory_reason(error)}); {LESS_MEMORY}"
        ) from error


@contextmanager
def recomputed_activations(model: "torch.nn.Module", wanted: bool) -> Iterator[None]:
    """Inside, layers keep their inputs alone and are computed again for their gradient, if wanted.

    Raises `ConfigError` for an architecture that cannot.
    """
    if not wanted:
        yield
        return
    network: Any = model
    # The newer name; the older one warns where both exist.
    newer = hasattr(network, "activation_checkpointing_enable")
    name = "activation_checkpointing" if newer else "gradient_checkpointing"
    enable, disable = getattr(network, f"{name}_enable"), getattr(network, f"{name}_disable")
    try:
        enable({"use_reentrant": False})
    except ValueError as error:
        raise ConfigError(
            f"{USER}: expected an architecture with gradient checkpointing, got "
            f"{type(model).__name__} ({error}); set refit.gradient_checkpointing=false"
        ) from error
    try:
        yield
    finally:
        disable()
