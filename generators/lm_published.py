"""Published causal language models: their files, read without executing anything in them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights, find_files
from data.tokenizer_folder import SETTINGS as TOKENIZER_SETTINGS
from data.tokenizer_folder import TOKENIZER, names_in
from generators.lm_model import facts_of, quiet_transformers, weights_of

if TYPE_CHECKING:
    import torch

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
CONFIG = "config.json"
ON_HUB = (CONFIG, TOKENIZER, TOKENIZER_SETTINGS)


@dataclass(frozen=True)
class Published:
    """A published model: transformers' configuration as plain values, weights, its folder."""

    facts: dict[str, Any]
    weights: "dict[str, torch.Tensor]"
    folder: Path


def find_model_folder(weights: PublishedWeights) -> Path:
    """Folder with weights, in one file or several, configuration and tokenizer.

    The digest of a given folder is of all these files, that of a fetched model of its weights or
    of the index of several files. Raises `EnvironmentProblem` for what is missing, with the
    command that fetches it.
    """
    if weights.host == "stand-in":
        from generators.lm_stand_in import stand_in_folder

        return stand_in_folder()
    if weights.folder is not None:
        folder = Path(weights.folder)
        parts = (INDEX, *_parts(folder, weights.repo)) if (folder / INDEX).is_file() else (WHOLE,)
        return find_files(weights, (*parts, CONFIG, *names_in(folder)))
    # What the files' digest is of depends on which there are, and that cannot be asked without
    # access: the pattern takes weights in one file and in several.
    command = f"hf download {weights.repo} --include '*.[sj]*' --revision {weights.revision}"
    unchecked = weights.model_copy(update={"sha256": None})
    try:
        find_files(unchecked, (WHOLE, *ON_HUB), command=command)
        names: tuple[str, ...] = (WHOLE, *ON_HUB)
    except EnvironmentProblem as problem:
        # A hub that was out of reach or refused would be asked, and waited for, in vain again.
        answered = problem.__cause__ is None
        try:
            several = (INDEX, *ON_HUB)
            folder = find_files(unchecked, several, command=command, ask_hub=answered)
        except EnvironmentProblem:
            raise problem from problem.__cause__
        names = (INDEX, *_parts(folder, weights.repo), *ON_HUB)
    return find_files(weights, names, command=command)


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


def _parts(folder: Path, repo: str) -> list[str]:
    """Names of the files of weights that the index lists."""
    try:
        listed = sorted(set(json.loads((folder / INDEX).read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(folder, f"{INDEX} without a weight_map") from error
    strange = [name for name in listed if Path(name).name != name or "safetensors" not in name]
    if strange:
        raise EnvironmentProblem(
            f"{folder}: expected {INDEX} of {repo} to list safetensors files beside it, got "
            f"{strange[0]!r}; fetch the published files again"
        )
    return listed


def _unusable(folder: Path, got: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{folder}: expected a causal language model that transformers knows, with all its weights "
        f"as safetensors, got {got[:300]}; fetch the published files again, or choose a model that "
        "needs no code of its own"
    )
