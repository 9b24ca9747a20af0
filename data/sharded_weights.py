"""Published models whose weights lie in one safetensors file, or in several with an index."""

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights, download, find_files, without_fetching

if TYPE_CHECKING:
    import torch

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


def find_with_weights(
    weights: PublishedWeights, names: Sequence[str], *, optional: Sequence[str] = ()
) -> Path:
    """Folder with the weights, in one file or in shards with their index, and the files `names`.

    Where a commit pins it `sha256` is the digest of that file, or of the index; in a given folder
    of all these files. The hub gives what it has of `optional` too. Raises as `find_files`, and
    `EnvironmentProblem` for an index of another form.
    """
    # All files are checked at the end; which they are is only known once they are there.
    unchecked = weights.model_copy(update={"sha256": None})
    command = download(weights, ("model*.safetensors*", *names, *optional))
    try:
        find_files(unchecked, (SINGLE, *names), optional=optional, command=command)
        wanted: tuple[str, ...] = (SINGLE, *names)
    except EnvironmentProblem as problem:
        try:
            # Once more only where the hub has answered: waiting for one that does not takes long.
            with nullcontext() if _are_here(unchecked, names) else without_fetching():
                folder = find_files(unchecked, (INDEX,), command=command)
        except EnvironmentProblem:
            raise problem from None  # of one file: its command fetches either
        wanted = (INDEX, *sorted(set(weight_map(folder).values())), *names)
    return find_files(weights, wanted, optional=optional, command=command)


def _are_here(weights: PublishedWeights, names: Sequence[str]) -> bool:
    try:
        with without_fetching():
            find_files(weights, names)
    except EnvironmentProblem:
        return False
    return True


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
    for file in files.values():
        # Its files are about to be read: none elsewhere, and none that could hold code.
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise EnvironmentProblem(
                f"{path}: expected safetensors files beside the index, got {file!r}; fetch the "
                "published file again"
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
