"""Files of a published reward model, or of the stand-in that is configured in its place."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.published_weights import PublishedWeights, find_files
from data.sharded_weights import find_with_weights

if TYPE_CHECKING:
    from rewards.tiny_models import Model


def find_model_files(
    weights: PublishedWeights,
    names: Sequence[str],
    *,
    in_parts: bool = False,
    layout: "Model | None" = None,
) -> Path:
    """Folder with all files `names`, or with a tiny random model; raises as `find_files`.

    Where `in_parts`, the weights may lie in several files and are found beside `names`. `layout`
    is the stand-in's for a kind of reward that takes any repository.
    """
    if weights.host == "stand-in":
        from rewards.tiny_models import folder_in_place_of, stand_in_folder

        return stand_in_folder(layout) if layout else folder_in_place_of(weights)
    return find_with_weights(weights, names) if in_parts else find_files(weights, names)
