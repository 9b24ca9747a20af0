"""Low-rank adapters (Hu et al. 2022) by peft: trained instead of the weights, then part of them."""

from typing import TYPE_CHECKING, Any

from data.errors import ConfigError
from data.installation import check_installed
from generators.causal_lm_config import Lora
from generators.lm_rows import USER

if TYPE_CHECKING:
    import torch


def check_peft() -> None:
    """Raise `EnvironmentProblem` with the command that installs peft where it is not."""
    check_installed(f"{USER}, refit.lora", ("peft",))


def adapted(model: "torch.nn.Module", lora: Lora) -> "torch.nn.Module":
    """`model` with adapters in it, which alone are trainable; it is changed.

    Adapters start from torch's global generator and change nothing before they are trained.
    Raises `EnvironmentProblem` without peft, `ConfigError` for layers that it does not find.
    """
    check_peft()
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    network: Any = model
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=None if lora.targets is None else list(lora.targets),
        # GPT-2 keeps the matrices of its layers transposed.
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
    )
    try:
        adapters: torch.nn.Module = get_peft_model(network, settings)
    except ValueError as error:
        raise ConfigError(
            f"{USER}: expected layers that adapters can be put on, got {lora.targets} for "
            f"{type(model).__name__} ({error}); set generator.refit.lora.targets to names of its "
            "linear layers"
        ) from error
    return adapters


def merged(adapters: "torch.nn.Module") -> "torch.nn.Module":
    """The plain model whose weights hold what the adapters have learnt."""
    network: Any = adapters
    plain: torch.nn.Module = network.merge_and_unload()
    return plain
