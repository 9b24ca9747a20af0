from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from data.files import digest_file
from rewards.aesthetic import BACKBONE, HEADS
from rewards.image_reward import MODEL as IMAGE_REWARD
from rewards.image_reward import TOKENIZER
from rewards.model_files import find_model_files
from rewards.pick_score import MODEL, PROCESSOR
from rewards.tiny_models import (
    LAYOUTS,
    stand_in_folder,
    stand_in_weights,
    write_aesthetic,
    write_clip,
    write_image_reward,
)


def check_writer(write: Callable[..., None], root: Path) -> None:
    before = torch.get_rng_state()
    digests = []
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        folder = root / name
        folder.mkdir()
        write(folder, seed=seed)
        digests.append({path.name: digest_file(path) for path in folder.iterdir()})
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("write", [write_clip, write_aesthetic, write_image_reward])
def test_equal_seeds_give_equal_files_and_the_global_generator_is_left_alone(
    write: Callable[..., None], tmp_path: Path
) -> None:
    check_writer(write, tmp_path)


def test_a_stand_in_is_written_once_and_named_by_folder_and_digest() -> None:
    folder = stand_in_folder("clip")
    assert stand_in_folder("clip") == folder
    weights = stand_in_weights(MODEL, folder, ("model.safetensors",))
    assert weights.folder == str(folder)
    assert weights.sha256 == digest_file(folder / "model.safetensors").sha256
    assert not weights.is_of(MODEL)


def test_every_published_model_has_a_stand_in_of_its_layout() -> None:
    heads = list(HEADS.values())
    for weights in (MODEL, PROCESSOR, IMAGE_REWARD, TOKENIZER, BACKBONE, *heads):
        assert weights.stand_in.host == "stand-in"
        assert not weights.stand_in.is_of(weights)
        assert find_model_files(weights.stand_in, ()) == stand_in_folder(LAYOUTS[weights.repo])
