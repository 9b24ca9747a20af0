"""Documents cut to random lengths."""

import sys
from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from data.configuration import describe_errors
from data.cut_texts import Cut, cut_documents, first_words

DOCUMENTS = [" ".join(f"{name}{word}" for word in range(80)) for name in "abcdefg"]


def test_a_text_is_the_beginning_of_its_document() -> None:
    for document, text in zip(
        DOCUMENTS, cut_documents(DOCUMENTS, Cut(), num_texts=None, seed=0), strict=True
    ):
        assert document.startswith(text) and 1 <= len(text.split()) <= 64


def test_lengths_are_uniform() -> None:
    cut = Cut(min_words=3, max_words=12)
    texts = cut_documents(DOCUMENTS, cut, num_texts=5_000, seed=1)
    counts = Counter(len(text.split()) for text in texts)
    assert sorted(counts) == list(range(3, 13))
    # Four standard deviations of a binomial count.
    expected = 500
    assert all(abs(count - expected) < 4 * np.sqrt(expected * 0.9) for count in counts.values())


@pytest.mark.parametrize("num_texts", [0, 1, 7, 8, 20])
def test_no_document_comes_again_before_all_have_come(num_texts: int) -> None:
    texts = cut_documents(DOCUMENTS, Cut(), num_texts=num_texts, seed=2)
    assert len(texts) == num_texts
    counts = Counter(text[0] for text in texts)
    assert not texts or max(counts.values()) - min(counts[name] for name in "abcdefg") <= 1


def test_the_seed_decides() -> None:
    first, again, other = (
        cut_documents(DOCUMENTS, Cut(), num_texts=20, seed=seed) for seed in (3, 3, 4)
    )
    assert first == again != other


def test_a_short_document_stays_whole() -> None:
    cut = Cut(min_words=50, max_words=50)
    assert cut_documents([" two\nwords \n"], cut, num_texts=None, seed=0) == ["two\nwords"]


def test_words_are_what_white_space_separates() -> None:
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    text = "".join(f"{space}w{number}" for number, space in enumerate(spaces))
    for num_words in (1, 5, len(spaces), len(spaces) + 1):
        assert first_words(text, num_words).split() == text.split()[:num_words]
    assert first_words(" \n", 3) == "" == first_words("a", 0)


def test_more_words_at_least_than_at_most_are_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        Cut(min_words=3, max_words=2)
    assert "min_words: expected at most max_words = 2, got 3" in describe_errors(caught.value)
