"""Published causal language models: their files, read without executing anything in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights
from data.sharded_weights import find_with_weights
from data.tokenizer_folder import ON_HUB, TEMPLATE, names_in
from generators.lm_model import facts_of, quiet_transformers, weights_of

if TYPE_CHECKING:
    import torch

CONFIG = "config.json"


@dataclass(frozen=True)
class Published:
    """A published model: transformers' configuration as plain values, weights, its folder."""

    facts: dict[str, Any]
    weights: "dict[str, torch.Tensor]"
    folder: Path


def find_model_folder(weights: PublishedWeights) -> Path:
    """Folder with weights, configuration and tokenizer; digest and errors as `find_with_weights`.

    The SHA-256 of a given folder is that of all these files.
    """
    if weights.host == "stand-in":
        from generators.lm_stand_in import stand_in_folder

        return stand_in_folder()
    if weights.folder is not None:
        return find_with_weights(weights, (CONFIG, *names_in(Path(weights.folder))))
    return find_with_weights(weights, (CONFIG, *ON_HUB), optional=(TEMPLATE,))


def read_published(weights: PublishedWeights) -> Published:
    """The model in single precision; raises as `find_model_folder`.

    Raises `EnvironmentProblem` as well for files that are no causal language model that
    transformers itself knows, or that lack some of its weights.
    """
    import torch
    from transformers import AutoModelForCausalLM

    folder = find_model_folder(weights)
    try:
        with quiet_transformers():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise _unusable(folder, " ".join(str(error).split())) from error
    model, report = loaded
    if missing := sorted(report["missing_keys"]):
        raise _unusable(folder, f"no {missing[0]} ({len(missing)} missing)")
    return Published(facts_of(model.config), weights_of(model), folder)


def read_facts(weights: PublishedWeights) -> dict[str, Any]:
    """transformers' configuration of the model as plain values, without reading its weights.

    Raises as `find_model_folder`, and `EnvironmentProblem` for one that transformers does not know.
    """
    from transformers import AutoConfig

    folder = find_model_folder(weights)
    try:
        found = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise _unusable(folder, " ".join(str(error).split())) from error
    return facts_of(found)


def _unusable(folder: Path, got: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{folder}: expected a causal language model that transformers knows, with all its weights "
        f"as safetensors, got {got[:300]}; fetch the published files again, or choose a model that "
        "needs no code of its own"
    )
