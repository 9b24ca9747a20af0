"""Files of reward models: those of a folder, or a stand-in."""

from pathlib import Path

from data.published_weights import PublishedWeights, folder_digest
from rewards.model_files import find_model_files
from rewards.tiny_models import LAYOUTS, stand_in_folder

NAMES = ("model.safetensors", "config.json")


def test_a_folder_is_used_as_it_is_and_a_stand_in_takes_the_layout_of_its_repository(
    tmp_path: Path,
) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(b"content")
    repo, layout = next(iter(LAYOUTS.items()))
    digest = folder_digest(tmp_path, NAMES)
    weights = PublishedWeights(repo=repo, revision="a" * 40, folder=str(tmp_path), sha256=digest)
    assert find_model_files(weights, NAMES) == tmp_path
    assert find_model_files(weights.stand_in, NAMES) == stand_in_folder(layout)
