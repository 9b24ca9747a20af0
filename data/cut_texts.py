"""Texts of random length: documents cut to their first words."""

import itertools
import re
from collections.abc import Sequence
from typing import Self

import numpy as np
from pydantic import model_validator

from data.configuration import FrozenConfig, setting

WORD = re.compile(r"\S+")


class Cut(FrozenConfig):
    """A document's first L words, L uniform; words are what white space separates."""

    min_words: int = setting(1, "fewest words of a text", "O", ge=1)
    max_words: int = setting(64, "most words of a text", "O", ge=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        check_range(self.min_words, self.max_words)
        return self


def check_range(min_words: int, max_words: int) -> None:
    """Raise `ValueError` for a range that holds no number of words."""
    if min_words > max_words:
        raise ValueError(f"min_words: expected at most max_words = {max_words}, got {min_words}")


def cut_documents(
    documents: Sequence[str], cut: Cut, *, num_texts: int | None, seed: int
) -> list[str]:  # num_texts, or as many as documents
    """Every document, or `num_texts` at random, each cut to its first L words.

    L is uniform on `min_words` .. `max_words`, independent for each text; a document of fewer
    words stays whole. Documents come in random order, none a second time before all have
    come once, then with another L.
    """
    assert documents, "a corpus without documents is refused on load"
    rng = np.random.default_rng(seed)
    if num_texts is None:
        rows = np.arange(len(documents))
    else:
        num_passes = -(-num_texts // len(documents))
        passes = [rng.permutation(len(documents)) for _ in range(num_passes)]
        rows = np.concatenate([np.empty(0, np.int64), *passes])[:num_texts]
    lengths = rng.integers(cut.min_words, cut.max_words, size=len(rows), endpoint=True)
    return [
        first_words(documents[row], length)
        for row, length in zip(rows.tolist(), lengths.tolist(), strict=True)
    ]


def first_words(text: str, num_words: int) -> str:
    """`text` up to the end of a word, without the white space before its first."""
    words = list(itertools.islice(WORD.finditer(text), num_words))
    return text[words[0].start() : words[-1].end()] if words else ""
