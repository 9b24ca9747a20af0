"""Published models: one file or several, what is missing, what is refused."""

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from data.errors import EnvironmentProblem
from data.published_weights import PublishedWeights, folder_digest
from data.text_tokenizer import TextTokenizer, train_bpe
from generators.lm_model import configuration_from, model_with, random_weights
from generators.lm_published import find_model_folder, read_facts, read_published
from tests.generators.language_models import tiny_facts

PINNED = PublishedWeights(repo="owner/model", revision="0" * 40)
COMMAND = (
    "`hf download owner/model --include 'model*.safetensors*' --include 'config.json' --include "
    "'tokenizer.json' --include 'tokenizer_config.json' --include 'chat_template.jinja' "
    f"--revision {'0' * 40}`"
)


def write_model(folder: Path, *, shard: str = "1GB", num_tokens: int = 300) -> None:
    """A tiny model as transformers saves it, with its tokenizer."""
    facts = tiny_facts("qwen2", num_tokens)
    model: Any = model_with(facts, random_weights(facts, seed=0), dtype=torch.float32, device="cpu")
    model.save_pretrained(folder, max_shard_size=shard)
    train_bpe(["to be or not to be"], 300, min_frequency=1).save(folder)


def in_folder(folder: Path) -> PublishedWeights:
    names = [path.name for path in folder.iterdir() if path.name != "generation_config.json"]
    digest = folder_digest(folder, names)
    return PINNED.model_copy(update={"folder": str(folder), "sha256": digest})


@pytest.mark.parametrize("shard", ["1GB", "10KB"])
def test_models_in_one_file_and_in_several_are_read(tmp_path: Path, shard: str) -> None:
    write_model(tmp_path, shard=shard)
    assert (tmp_path / "model.safetensors").is_file() == (shard == "1GB")
    published = read_published(in_folder(tmp_path))
    expected = random_weights(tiny_facts("qwen2", 300), seed=0)
    assert published.weights.keys() == expected.keys()
    assert all(torch.equal(published.weights[name], expected[name]) for name in expected)
    assert configuration_from(published.facts).vocab_size == 300
    assert published.folder == tmp_path
    assert read_facts(in_folder(tmp_path)) == published.facts


def test_weights_that_changed_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path, shard="10KB")
    weights = in_folder(tmp_path)
    part = next(tmp_path.glob("model-00001*"))
    part.write_bytes(part.read_bytes()[:-1] + b"\x01")
    with pytest.raises(EnvironmentProblem, match="expected SHA-256"):
        find_model_folder(weights)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    write_model(tmp_path, shard="10KB")
    weights = in_folder(tmp_path)
    next(tmp_path.glob("model-00001*")).unlink()
    with pytest.raises(EnvironmentProblem, match="got no model-00001-of-"):
        find_model_folder(weights)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    weights = PINNED.model_copy(update={"folder": str(tmp_path), "sha256": "0" * 64})
    with pytest.raises(EnvironmentProblem, match=r"got no model\.safetensors"):
        find_model_folder(weights)


def test_a_model_with_code_of_its_own_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_bytes())
    settings |= {"model_type": "theirs", "auto_map": {"AutoModelForCausalLM": "code.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    (tmp_path / "code.py").write_text("raise SystemExit(99)")
    weights = PINNED.model_copy(update={"folder": str(tmp_path), "sha256": None})
    with pytest.raises(EnvironmentProblem, match="or choose a model that needs no code of its own"):
        read_published(weights)
    with pytest.raises(EnvironmentProblem, match="or choose a model that needs no code of its own"):
        read_facts(weights)


def test_weights_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["model.norm.weight"], tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    text = r"got no model\.layers\.1\.mlp\.up_proj\.weight \(2 missing\)"
    with pytest.raises(EnvironmentProblem, match=text):
        read_published(in_folder(tmp_path))


def test_a_gated_model_without_a_token_says_the_exact_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def snapshot_download(repo: str, *, local_files_only: bool, **_: Any) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("nothing")
        raise GatedRepoError.__new__(GatedRepoError)

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(EnvironmentProblem) as caught:
        find_model_folder(PINNED)
    text = str(caught.value)
    assert caught.value.exit_code == 7
    assert COMMAND in text
    assert "HF_TOKEN" in text and "accept its terms at https://huggingface.co/owner/model" in text


def test_a_model_that_cannot_be_fetched_says_a_command_for_one_file_and_for_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def snapshot_download(repo: str, *, local_files_only: bool, **_: Any) -> str:
        asked.append(not local_files_only)
        raise LocalEntryNotFoundError("nothing")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(EnvironmentProblem, match="expected model.safetensors, config.json,") as e:
        find_model_folder(PINNED)
    assert str(e.value).count("hf download") == 1 and COMMAND in str(e.value)
    assert asked.count(True) == 1, "a hub out of reach is waited for once"


def test_a_chat_template_in_a_file_of_its_own_is_fetched_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path, shard="10KB")
    template, fetched = tmp_path / "chat_template.jinja", list[str]()

    def snapshot_download(
        repo: str, *, local_files_only: bool, allow_patterns: list[str], **_: Any
    ) -> str:
        if local_files_only and not fetched:
            raise LocalEntryNotFoundError("nothing")
        fetched.append(repo)
        if template.name in allow_patterns and not local_files_only:
            template.write_text("Q: {{ messages[0].content }}")
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    tokenizer = TextTokenizer.published(find_model_folder(PINNED))
    assert tokenizer.decode([tokenizer.chat("to be")]) == ["Q: to be"]


def test_a_cached_model_in_several_files_is_found_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path, shard="10KB")

    def snapshot_download(repo: str, *, local_files_only: bool, **_: Any) -> str:
        if not local_files_only:
            raise LocalEntryNotFoundError("no network")
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert find_model_folder(PINNED) == tmp_path


def test_a_model_in_several_files_is_found_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path, shard="10KB")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    assert find_model_folder(PINNED) == tmp_path
    index = folder_digest(tmp_path, ["model.safetensors.index.json"])
    assert find_model_folder(PINNED.model_copy(update={"sha256": index})) == tmp_path
    with pytest.raises(EnvironmentProblem, match="of model.safetensors.index.json, got"):
        find_model_folder(PINNED.model_copy(update={"sha256": "0" * 64}))
