"""Runs of words as numbers: which are equal, to which text they belong."""

from collections import Counter

import numpy as np
import pytest

from tasks.word_ngrams import word_ngrams

TEXTS = ["a b a b", "", " b\ta \n b ", "c", "a b a c a b"]


@pytest.mark.parametrize("texts", [TEXTS, [], [""], ["one"]])
def test_runs_are_equal_exactly_where_their_words_are(texts: list[str]) -> None:
    for length, (runs, owners) in enumerate(word_ngrams(texts, 4), start=1):
        expected = [
            (owner, tuple(words[start : start + length]))
            for owner, words in enumerate(text.split() for text in texts)
            for start in range(len(words) - length + 1)
        ]
        assert owners.tolist() == [owner for owner, _ in expected]
        assert len(set(zip(runs.tolist(), (run for _, run in expected), strict=True))) == len(
            Counter(run for _, run in expected)
        )
        assert len(np.unique(runs)) == len(Counter(run for _, run in expected))
