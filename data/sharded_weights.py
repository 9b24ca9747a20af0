"""Published models whose weights lie in several safetensors files with an index."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights, find_files

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


def find_sharded_files(weights: PublishedWeights, names: Sequence[str]) -> Path:
    """Folder with the index, all shards that it names and the files `names`.

    `sha256` is the digest of the index where a commit pins it, and of all files in a given
    folder. Raises as `find_files`, and `EnvironmentProblem` for an index of another form.
    """
    # All files are checked at the end; which they are is only known from the index.
    unchecked = weights.model_copy(update={"sha256": None})
    wanted = ("model*.safetensors*", *names)
    options = " ".join(f"--include '{name}'" for name in wanted)
    command = f"hf download {weights.repo} {options} --revision {weights.revision}"
    folder = find_files(unchecked, (INDEX,), command=command)
    shards = sorted(set(weight_map(folder).values()))
    return find_files(weights, (INDEX, *shards, *names), command=command)


def weight_map(folder: Path) -> Mapping[str, str]:
    """File of every weight, from the index of a folder, or the single file's where there is none.

    Raises `EnvironmentProblem` for an index of another form.
    """
    path = folder / INDEX
    if not path.is_file():
        from safetensors import safe_open

        with safe_open(folder / SINGLE, "pt") as weights:
            return dict.fromkeys(weights.keys(), SINGLE)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        files = {str(name): str(file) for name, file in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EnvironmentProblem(
            f"{path}: expected an index with a weight_map, got {type(error).__name__} on reading "
            "it; fetch the published file again"
        ) from error
    if strange := [file for file in files.values() if Path(file).name != file]:
        raise EnvironmentProblem(
            f"{path}: expected shards beside the index, got {strange[0]!r}; fetch the published "
            "file again"
        )
    return files


def read_weights(folder: Path, names: Sequence[str]) -> dict[str, "torch.Tensor"]:
    """Some weights of a model by name, read without the others; on the CPU.

    Raises `EnvironmentProblem` for one that the model does not have.
    """
    from safetensors import safe_open

    files = weight_map(folder)
    if absent := [name for name in names if name not in files]:
        raise EnvironmentProblem(
            f"{folder}: expected the weights {', '.join(names)}, got no {', '.join(absent)}; "
            "fetch the published files again"
        )
    found = {}
    for name in names:
        with safe_open(folder / files[name], "pt") as weights:
            found[name] = weights.get_tensor(name)
    return found
