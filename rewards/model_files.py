"""Files of a published reward model, or of the stand-in that is configured in its place."""

from collections.abc import Sequence
from pathlib import Path

from data.published_weights import PublishedWeights, find_files


def find_model_files(weights: PublishedWeights, names: Sequence[str]) -> Path:
    """Folder with all files `names`, or with a tiny random model; raises as `find_files`."""
    if weights.host == "stand-in":
        from rewards.tiny_models import folder_in_place_of

        return folder_in_place_of(weights)
    return find_files(weights, names)
