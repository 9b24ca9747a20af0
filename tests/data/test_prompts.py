"""Prompts by configuration: kinds, splits, what pages hide."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from data.configuration import describe_errors
from data.errors import ConfigError
from data.prompts import (
    AnyPrompts,
    PromptConfig,
    PromptFile,
    PythonTopics,
    every_prompt,
    is_unsafe,
    is_unsafe_prompt,
    load_prompts,
    prompts_digest,
)
from data.text_split import is_held_out
from data.ultrafeedback import UltraFeedback
from tests.data.text_sources import given, write_columns, write_json_lines

UNSAFE = ("advbench_harmful_behaviors", "hh_rlhf_harmless_test", "xstest_unsafe")


def test_the_kind_chooses_the_configuration() -> None:
    adapter: TypeAdapter[AnyPrompts] = TypeAdapter(PromptConfig)
    assert adapter.validate_python({"kind": "python-topics"}) == PythonTopics()
    assert adapter.validate_python({"kind": "ultrafeedback"}) == UltraFeedback()
    with pytest.raises(ValidationError, match="'python-topics', 'ultrafeedback', 'prompt-file'"):
        adapter.validate_python({"kind": "flan"})


def test_the_embedded_prompts_are_enough_and_different() -> None:
    config = PythonTopics()
    train, held_out = load_prompts(config, "train"), load_prompts(config, "held-out")
    assert len(train) > 400 and len(held_out) > 30
    assert len({*train, *held_out}) == len(train) + len(held_out)
    assert all(5 <= len(prompt.split()) <= 24 for prompt in (*train, *held_out))
    assert not any(map(is_held_out, train)) and all(map(is_held_out, held_out))
    assert load_prompts(config, "train") is train
    assert not any(is_unsafe_prompt(config, prompt) for prompt in train)
    assert prompts_digest(config) != prompts_digest(config, "held-out")


def test_shorter_prompts_can_be_asked_for() -> None:
    short = load_prompts(PythonTopics(min_words=5, max_words=8), "train")
    assert short and set(short) < set(load_prompts(PythonTopics(), "train"))
    with pytest.raises(ConfigError, match=r"prompts python-topics: expected .* got none of 0"):
        load_prompts(PythonTopics(min_words=2_000, max_words=3_000), "train")


def test_more_words_at_least_than_at_most_are_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        PythonTopics(min_words=30)
    assert "min_words: expected at most max_words = 24, got 30" in describe_errors(caught.value)


def test_a_file_of_ones_own_gives_lines_or_rows(tmp_path: Path) -> None:
    texts = [f"question {number}?" for number in range(40)]
    (tmp_path / "a.txt").write_text("\n".join(texts))
    write_json_lines(tmp_path / "a.jsonl", [{"prompt": text} for text in texts])
    found = set()
    for name in ("a.txt", "a.jsonl"):
        config = PromptFile(**given(tmp_path / name))
        both = [*load_prompts(config, "train"), *load_prompts(config, "held-out")]
        assert sorted(both) == sorted(texts)
        assert every_prompt(config) == tuple(texts)
        found.add(prompts_digest(config))
    assert len(found) == 1


def test_a_file_without_prompts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n")
    with pytest.raises(ConfigError, match=r"prompt-file: expected prompts in split 'train', got"):
        load_prompts(PromptFile(**given(tmp_path / "a.txt")), "train")


def test_prompts_of_unsafe_sources_are_known(tmp_path: Path) -> None:
    assert all(map(is_unsafe, UNSAFE)) and not is_unsafe("xstest_safe")
    sources = [*UNSAFE, "xstest_safe"]
    path = write_columns(tmp_path / "p.parquet", {"prompt": list("abcd"), "source": sources})
    config = UltraFeedback(origin="parquet", **given(path, sources=sources))
    assert [is_unsafe_prompt(config, text) for text in "abcd"] == [True, True, True, False]
    (tmp_path / "p.txt").write_text("one\ntwo")
    own = given(tmp_path / "p.txt")
    assert not is_unsafe_prompt(PromptFile(**own), "one")
    assert is_unsafe_prompt(PromptFile(**own, unsafe=True), "one")
    assert "unsafe" not in PromptFile(**own, unsafe=True).fingerprint_part()


def test_a_prompt_of_a_safe_and_an_unsafe_source_is_unsafe(tmp_path: Path) -> None:
    sources = ["xstest_safe", UNSAFE[0]]
    path = write_columns(tmp_path / "p.parquet", {"prompt": ["a", "a"], "source": sources})
    assert is_unsafe_prompt(UltraFeedback(origin="parquet", **given(path, sources=sources)), "a")


def test_where_the_file_is_gone_prompts_are_hidden_unless_no_source_is_unsafe() -> None:
    def gone(*sources: str) -> UltraFeedback:
        return UltraFeedback(origin="parquet", path="gone", sha256="0" * 64, sources=sources)

    assert is_unsafe_prompt(gone(UNSAFE[0]), "a")
    assert is_unsafe_prompt(gone(UNSAFE[0], "xstest_safe"), "a")
    assert not is_unsafe_prompt(gone("xstest_safe"), "a")
    assert not is_unsafe_prompt(UltraFeedback(), "a"), "nothing is fetched"
    assert is_unsafe_prompt(PromptFile(path="gone.txt", sha256="0" * 64, unsafe=True), "a")


def test_the_real_prompts_load_by_source(shared_data: Path) -> None:
    file = given(shared_data / "prompts" / "ultrafeedback.parquet")
    config = UltraFeedback(origin="parquet", **file)
    train, held_out = load_prompts(config, "train"), load_prompts(config, "held-out")
    assert len(train) + len(held_out) == 1_111
    assert not any(is_unsafe_prompt(config, prompt) for prompt in (*train, *held_out))
    mixed = UltraFeedback(origin="parquet", **file, sources=("xstest_safe", "xstest_unsafe"))
    both = [*load_prompts(mixed, "train"), *load_prompts(mixed, "held-out")]
    assert len(both) == 450
    assert sum(is_unsafe_prompt(mixed, prompt) for prompt in both) == 200
