import numpy as np
import pytest

from rewards.words import distinct_words, word_counts


def test_words_are_what_white_space_separates() -> None:
    texts = ["", " \n\t", "one", "two, words", "a-b  c\nd\u00a0e", "ein\u3000zwei", "x" * 10**6]
    np.testing.assert_array_equal(word_counts(texts), [0, 0, 1, 2, 4, 2, 1])
    assert word_counts([]).shape == (0,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The river and THE River!", {"the", "river", "and"}),
        ("naïve Straße, snake_case", {"naïve", "strasse", "snake", "case"}),
        ("What is it? 42", {"what", "is", "it", "42"}),
        ("", set()),
        ("?!", set()),
    ],
)
def test_distinct_words_know_no_case_and_no_punctuation(text: str, words: set[str]) -> None:
    assert distinct_words(text) == words
