"""Stand-ins for learned text rewards: their files and their tokenizers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from data.sharded_weights import INDEX, weight_map
from rewards.armo_rm import ATTRIBUTES, MODEL, PATTERN
from rewards.llama_guard import MODEL as GUARD
from rewards.model_files import find_model_files
from rewards.text_scoring import load_tokenizer
from rewards.tiny_models import LAYOUTS, stand_in_folder
from rewards.tiny_text_models import (
    LLAMA_MARKS,
    LLAMA_WORDS,
    NUM_OBJECTIVES,
    write_armo_rm,
    write_llama_guard,
    write_sequence_classifier,
)
from tests.rewards.test_tiny_models import check_writer


@pytest.mark.parametrize("write", [write_armo_rm, write_llama_guard, write_sequence_classifier])
def test_equal_seeds_give_equal_files_and_the_global_generator_is_left_alone(
    write: Callable[..., None], tmp_path: Path
) -> None:
    check_writer(write, tmp_path)


def test_armo_rm_lies_in_two_shards_with_the_published_names() -> None:
    folder = stand_in_folder("armo-rm")
    files = weight_map(folder)
    assert len(set(files.values())) == 2
    own = {name for name in files if not name.startswith("model.")}
    layers = {f"gating.layers.{n}.{part}" for n in range(4) for part in ("weight", "bias")}
    heads = {"regression_layer.weight", "reward_transform_matrix", "gating.logit_scale"}
    assert own == heads | layers
    assert "model.layers.1.self_attn.q_proj.weight" in files
    assert len(ATTRIBUTES) == NUM_OBJECTIVES
    assert json.loads((folder / INDEX).read_text())["metadata"]["total_size"] > 0


def test_the_llama_tokenizer_has_the_published_ids_and_loses_no_text() -> None:
    tokenizer = load_tokenizer(stand_in_folder("armo-rm"))
    for word, number in (LLAMA_WORDS | LLAMA_MARKS).items():
        assert tokenizer.convert_tokens_to_ids(word) == number
    end = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    assert tuple(tokenizer(end, add_special_tokens=False)["input_ids"]) == PATTERN
    text = "It's über\tcold — 12345\n 😀 "
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text
    assert tokenizer("")["input_ids"] == [LLAMA_MARKS["<|begin_of_text|>"]]


def test_published_repositories_and_any_classifier_have_a_stand_in() -> None:
    for weights in (MODEL, GUARD):
        assert find_model_files(weights.stand_in, ()) == stand_in_folder(LAYOUTS[weights.repo])
    other = MODEL.stand_in.model_copy(update={"repo": "owner/classifier"})
    found = find_model_files(other, (), layout="sequence-classifier")
    assert found == stand_in_folder("sequence-classifier")
