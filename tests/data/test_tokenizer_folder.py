"""Tokenizers in folders: layouts, settings, what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError, EnvironmentProblem
from data.published_weights import PublishedWeights, folder_digest
from data.text_tokenizer import TextTokenizer, train_bpe
from data.tokenizer_folder import find_tokenizer, names_in, read_tokenizer

TEXTS = ["the cat sat on the mat", "the dog sat on the log"] * 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "saved").mkdir()
    train_bpe(TEXTS, 280).save(tmp_path / "saved")
    return tmp_path / "saved"


def settings(folder: Path, **changes: Any) -> None:
    """Change settings of a saved tokenizer."""
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def as_merges(folder: Path) -> None:
    """Turn tokenizer.json into vocab.json and merges.txt."""
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    lines = [" ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n")
    (folder / "tokenizer.json").unlink()


def test_both_layouts_give_the_same_tokenizer(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "merges"
    shutil.copytree(folder, other)
    as_merges(other)
    settings(other, tokenizer_class="GPT2TokenizerFast")
    first, second = TextTokenizer.published(folder), TextTokenizer.published(other)
    assert names_in(other) == ["vocab.json", "merges.txt", "tokenizer_config.json"]
    assert first.encode([*TEXTS, "zebra\x00"]) == second.encode([*TEXTS, "zebra\x00"])
    assert (first.size, first.end_of_text) == (second.size, second.end_of_text)


def test_settings_may_be_absent(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    assert read_tokenizer(folder).special == {"eos_token": "<|endoftext|>"}


def test_special_tokens_are_read_in_both_spellings(folder: Path) -> None:
    settings(folder, eos_token={"content": "t"}, bos_token=None, pad_token="[PAD]")
    assert read_tokenizer(folder).special == {"eos_token": "t"}


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("x", "x"),
        (None, None),
        ([], None),
        ([{"name": "tool", "template": "y"}, {"name": "default", "template": "x"}], "x"),
    ],
)
def test_the_template_of_several_is_the_default_one(
    folder: Path, template: object, found: str | None
) -> None:
    settings(folder, chat_template=template)
    assert read_tokenizer(folder).chat_template == found
    (folder / "chat_template.jinja").write_text("file")
    assert read_tokenizer(folder).chat_template == "file"


def test_padding_and_truncation_of_the_file_are_left_out(folder: Path) -> None:
    parts = read_tokenizer(folder)
    parts.backend.enable_padding(length=50)
    parts.backend.enable_truncation(2)
    parts.backend.save(str(folder / "tokenizer.json"))
    assert TextTokenizer.load(folder).encode(TEXTS) == train_bpe(TEXTS, 280).encode(TEXTS)


def test_a_tokenizer_without_an_end_of_text_is_refused(folder: Path) -> None:
    settings(folder, eos_token="<end>")
    with pytest.raises(ConfigError, match="expected an end of text in .*got eos_token '<end>'"):
        read_tokenizer(folder)
    settings(folder, eos_token=None)
    with pytest.raises(ConfigError, match="got eos_token None in tokenizer_config.json; a text co"):
        read_tokenizer(folder)


def test_merges_of_another_kind_need_the_whole_tokenizer(folder: Path) -> None:
    as_merges(folder)
    settings(folder, tokenizer_class="Qwen2Tokenizer")
    with pytest.raises(ConfigError, match=r"expected tokenizer.json for a Qwen2Tokenizer, got voc"):
        read_tokenizer(folder)


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(EnvironmentProblem, match=r"or vocab.json and merges.txt, found neither; p"):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", ["{", "[]", "version https://git-lfs.github.com/spec/v1"])
def test_damaged_files_are_named(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(EnvironmentProblem, match=r"expected readable tokenizer.json, .*fetch them"):
        read_tokenizer(folder)


def test_a_given_folder_is_checked_by_its_digest(folder: Path) -> None:
    digest = folder_digest(folder, names_in(folder))
    (folder / "model.safetensors").write_bytes(b"of no interest")
    weights = PublishedWeights(repo="a/b", revision="0" * 40, folder=str(folder), sha256=digest)
    assert find_tokenizer(weights) == folder
    settings(folder, eos_token="a")
    with pytest.raises(EnvironmentProblem, match=f"expected SHA-256 {digest} of tokenizer.json, t"):
        find_tokenizer(weights)


def test_from_the_hub_its_two_files_and_perhaps_a_template_are_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    weights = PublishedWeights(repo="no/such", revision="0" * 40)
    names = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
    included = " ".join(f"--include '{name}'" for name in names)
    command = f"`hf download no/such {included} --revision 0000"
    with pytest.raises(EnvironmentProblem, match=command):
        find_tokenizer(weights)
