"""Corpora by configuration: kinds, splits, digests, sharing within a process."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from data.corpora import CorpusConfig, corpus_digest, load_corpus
from data.errors import ConfigError
from data.python_docs import PythonDocs, documents, python_topics
from data.text_files import TextFiles
from data.text_split import Split, is_held_out, texts_digest
from data.wikitext import WikiText2
from tests.data.text_sources import given, write_json_lines

SPLITS: tuple[Split, ...] = ("train", "held-out")


def test_the_kind_chooses_the_configuration() -> None:
    adapter: TypeAdapter[PythonDocs | WikiText2 | TextFiles] = TypeAdapter(CorpusConfig)
    assert adapter.validate_python({"kind": "python-docs"}) == PythonDocs()
    assert adapter.validate_python({"kind": "wikitext-2"}) == WikiText2()
    with pytest.raises(ValidationError, match="'python-docs', 'wikitext-2', 'text-files'"):
        adapter.validate_python({"kind": "ptb"})


def test_the_splits_share_the_documents() -> None:
    train, held_out = (load_corpus(PythonDocs(), split) for split in SPLITS)
    assert sorted([*train, *held_out]) == sorted(documents(python_topics()))
    assert not any(map(is_held_out, train)) and all(map(is_held_out, held_out))
    assert load_corpus(PythonDocs(), "train") is train


def test_the_digest_is_of_the_text_and_not_of_the_configuration(tmp_path: Path) -> None:
    texts = [f"document {number}" for number in range(40)]
    configs = []
    for name, field in (("a", "text"), ("b", "body")):
        path = write_json_lines(tmp_path / f"{name}.jsonl", [{field: text} for text in texts])
        configs.append(TextFiles(**given(path, column=field)))
    assert corpus_digest(configs[0]) == corpus_digest(configs[1])
    assert corpus_digest(configs[0], "held-out") != corpus_digest(configs[0])
    assert corpus_digest(configs[0]) == texts_digest(load_corpus(configs[0], "train"))


def test_a_split_without_documents_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n\ntwo\n\nthree")
    config = TextFiles(**given(path))
    assert load_corpus(config, "train") == ("one", "two", "three")
    with pytest.raises(ConfigError, match=r"text-files: .* split 'held-out', got none of 3; about"):
        load_corpus(config, "held-out")


def test_wikitext_has_a_held_out_part_of_its_own(shared_data: Path) -> None:
    config = WikiText2(origin="parquet", path=str(shared_data / "wikitext2"))
    train, held_out = (load_corpus(config, split) for split in SPLITS)
    assert any(map(is_held_out, train)) and not all(map(is_held_out, held_out))
    assert not set(train) & set(held_out)
