import numpy as np
import pytest

from rewards.words import FUNCTION_WORDS, SHORTEST, content_words, word_counts


def test_words_are_what_white_space_separates() -> None:
    texts = ["", " \n\t", "one", "two, words", "a-b  c\nd\u00a0e", "ein\u3000zwei", "x" * 10**6]
    np.testing.assert_array_equal(word_counts(texts), [0, 0, 1, 2, 4, 2, 1])
    assert word_counts([]).shape == (0,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The river and THE River!", {"river"}),
        ("naïve Straße, snake_case", {"naïve", "strasse", "snake", "case"}),
        ("What is it? 42 or 1999", {"1999"}),
        ("", set()),
    ],
)
def test_content_words_are_distinct_long_and_no_function_words(text: str, words: set[str]) -> None:
    assert content_words(text) == words


def test_every_function_word_would_else_count_as_a_word() -> None:
    assert min(map(len, FUNCTION_WORDS)) >= SHORTEST
    assert all(word == word.casefold() and word.isalpha() for word in FUNCTION_WORDS)
