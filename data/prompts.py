"""What a model is asked, by configuration."""

from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from data import python_docs, ultrafeedback
from data.configuration import FrozenConfig, setting
from data.cut_texts import check_range
from data.errors import ConfigError, PluralistError
from data.text_rows import TextSource, checked_file, read_texts
from data.text_split import Split, part_of, texts_digest
from data.ultrafeedback import Prompt, UltraFeedback

# Collections of harmful requests, there to test a safety reward: pages hide their texts.
UNSAFE_SOURCES = frozenset({"advbench_harmful_behaviors", "xstest_unsafe", "hh_rlhf_harmless_test"})


class PythonTopics(FrozenConfig):
    """Sentences with which paragraphs of the Python documentation begin; they need no download."""

    kind: Literal["python-topics"] = setting("python-topics", "prompts", "O")
    min_words: int = setting(5, "fewest words of a prompt", "O", ge=1)
    max_words: int = setting(24, "most words of a prompt", "O", ge=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        check_range(self.min_words, self.max_words)
        return self


class PromptFile(TextSource):
    """Prompts of a user's own: lines of .txt, rows of .jsonl and .parquet."""

    kind: Literal["prompt-file"] = setting("prompt-file", "prompts", "O")
    column: str = setting("prompt", "field of .jsonl or column of .parquet with the prompts", "O")
    unsafe: bool = setting(
        False, "whether pages hide the prompts and what they were answered", "O", location=True
    )


AnyPrompts = PythonTopics | UltraFeedback | PromptFile
PromptConfig = Annotated[AnyPrompts, Field(discriminator="kind")]


def is_unsafe(source: str) -> bool:
    """Whether a collection is known to hold harmful requests."""
    return source in UNSAFE_SOURCES


@lru_cache(maxsize=4)
def load_prompts(config: AnyPrompts, split: Split) -> tuple[str, ...]:
    """Prompts of one split, kept by the process; at least one, none of them empty.

    Raises as the reader does, and `ConfigError` for a split without prompts.
    """
    everything = _read(config)
    part = part_of((prompt.text for prompt in everything), split)
    if not part:
        raise ConfigError(
            f"prompts {config.kind}: expected prompts in split {split!r}, got none of "
            f"{len(everything)}; about one in ten is held out, by its SHA-256: give more prompts"
        )
    return part


def every_prompt(config: AnyPrompts) -> tuple[str, ...]:
    """Prompts of both splits in the order of the set; raises as the reader does."""
    return tuple(prompt.text for prompt in _read(config))


def is_unsafe_prompt(config: AnyPrompts, text: str) -> bool:
    """Whether a prompt that was taken from `config`, and answers to it, are hidden until asked for.

    Where some of the sources are unsafe and others are not, their file says which prompts are. One
    that can no longer be read, as in a store that was moved, leaves every prompt hidden.
    """
    if isinstance(config, PromptFile):
        return config.unsafe
    if isinstance(config, PythonTopics) or not any(map(is_unsafe, config.sources)):
        return False
    if all(map(is_unsafe, config.sources)):
        return True
    try:
        return text in _unsafe_texts(config)
    except PluralistError:
        return True


def prompts_digest(config: AnyPrompts, split: Split = "train") -> str:
    """SHA-256 (hex) of the prompts that `load_prompts` gives, which decide results."""
    return texts_digest(load_prompts(config, split))


@lru_cache(maxsize=4)
def _unsafe_texts(config: AnyPrompts) -> frozenset[str]:
    return frozenset(prompt.text for prompt in _read(config) if is_unsafe(prompt.source))


@lru_cache(maxsize=2)
def _read(config: AnyPrompts) -> tuple[Prompt, ...]:
    if isinstance(config, UltraFeedback):
        return ultrafeedback.read_prompts(config)
    if isinstance(config, PythonTopics):
        topics = python_docs.python_topics()
        texts = python_docs.sentences(
            topics, min_words=config.min_words, max_words=config.max_words
        )
        return tuple(Prompt(text, config.kind) for text in texts)
    user = f"prompts {config.kind}"
    path = checked_file(config.path, config.sha256, user=user)
    found = read_texts(path, config.column, user=user, plain="lines")
    return tuple(Prompt(text, config.kind) for text in found)
