"""Models in one safetensors file, or in several."""

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from data.errors import EnvironmentProblem, WeightsNotAtHand
from data.published_weights import PublishedWeights, folder_digest
from data.sharded_weights import INDEX, SINGLE, find_with_weights, read_weights, weight_map

PINNED = PublishedWeights(repo="owner/model", revision="a" * 40)
WEIGHTS = {"a": torch.arange(3.0), "b": torch.ones(2, 2), "c": torch.zeros(1)}
SHARDS = ("one.safetensors", "two.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a and c in one shard, b in the other."""
    model = tmp_path / "model"
    model.mkdir()
    save_file({name: WEIGHTS[name] for name in "ac"}, model / SHARDS[0])
    save_file({"b": WEIGHTS["b"]}, model / SHARDS[1])
    files = {"a": SHARDS[0], "b": SHARDS[1], "c": SHARDS[0]}
    (model / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": files}))
    (model / "config.json").write_text("{}")
    return model


def given(folder: Path, names: tuple[str, ...]) -> PublishedWeights:
    return PINNED.model_copy(update={"folder": str(folder), "sha256": folder_digest(folder, names)})


def test_shards_are_found_through_the_index_and_all_files_are_in_the_digest(folder: Path) -> None:
    weights = given(folder, (INDEX, *SHARDS, "config.json"))
    assert find_with_weights(weights, ("config.json",)) == folder
    (folder / SHARDS[1]).write_bytes(b"other")
    with pytest.raises(EnvironmentProblem, match=r"expected SHA-256 .* of config.json, model.safe"):
        find_with_weights(weights, ("config.json",))


def test_a_missing_shard_is_named(folder: Path) -> None:
    weights = given(folder, (INDEX, *SHARDS))
    (folder / SHARDS[1]).unlink()
    with pytest.raises(EnvironmentProblem, match=f"got no {SHARDS[1]}"):
        find_with_weights(weights, ())


def test_weights_in_one_file_are_found_the_same_way(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / SINGLE)
    (tmp_path / "config.json").write_text("{}")
    weights = given(tmp_path, (SINGLE, "config.json"))
    assert find_with_weights(weights, ("config.json",)) == tmp_path
    (tmp_path / SINGLE).unlink()
    with pytest.raises(EnvironmentProblem, match=rf"expected the files {SINGLE}, config\.json of"):
        find_with_weights(weights, ("config.json",))


def test_weights_that_are_not_there_come_with_a_command_for_either_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EnvironmentProblem) as caught:
        find_with_weights(PINNED, ("config.json",))
    assert caught.value.exit_code == 7
    assert (
        "`hf download owner/model --include 'model*.safetensors*' --include 'config.json' "
        f"--revision {'a' * 40}`"
    ) in str(caught.value)


def test_a_hub_that_does_not_answer_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def snapshot_download(*_: Any, local_files_only: bool, **__: Any) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("nothing")
        asked.append(1)
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(WeightsNotAtHand, match=r"nor fetched \(OSError\)"):
        find_with_weights(PINNED, ("config.json",))
    assert len(asked) == 1


def test_weights_are_read_by_name_from_whichever_file_holds_them(
    folder: Path, tmp_path: Path
) -> None:
    save_file(WEIGHTS, tmp_path / SINGLE)
    for place in (folder, tmp_path):
        found = read_weights(place, ["b", "a"])
        assert list(found) == ["b", "a"]
        assert all(torch.equal(found[name], WEIGHTS[name]) for name in found)
    with pytest.raises(EnvironmentProblem, match=r"expected the weights a, x, got no x; fetch"):
        read_weights(folder, ["a", "x"])
    assert weight_map(tmp_path) == dict.fromkeys(load_file(tmp_path / SINGLE), SINGLE)


@pytest.mark.parametrize("content", ["<html>", "[]", '{"weight_map": 3}', "{}"])
def test_something_else_in_place_of_the_index_is_refused(folder: Path, content: str) -> None:
    (folder / INDEX).write_text(content)
    with pytest.raises(EnvironmentProblem, match="expected an index with a weight_map, got"):
        weight_map(folder)


@pytest.mark.parametrize("file", ["../outside.safetensors", "pytorch_model.bin"])
def test_an_index_of_anything_but_safetensors_beside_it_is_refused(folder: Path, file: str) -> None:
    shutil.copy(folder / SHARDS[0], folder / file)
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": file}}))
    text = f"expected safetensors files beside the index, got '{file}'; fetch"
    with pytest.raises(EnvironmentProblem, match=text):
        weight_map(folder)
