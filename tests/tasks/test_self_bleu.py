"""Self-BLEU against a plain computation, torchmetrics and closed forms."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from tasks.self_bleu import LONGEST, MOST_TEXTS, bleu_of_others, self_bleu

WORDS = ["the", "cat", "sat", "on", "mats"]


def random_texts(n: int, *, shortest: int, seed: int, num_words: int = 5) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        " ".join(rng.choice(WORDS[:num_words], rng.integers(shortest, 13)).tolist())
        for _ in range(n)
    ]


def runs_of(words: list[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def plain_bleu(text: str, references: list[str]) -> float:
    words, others = text.split(), [reference.split() for reference in references]
    logarithms = 0.0
    for length in range(1, LONGEST + 1):
        own, most = runs_of(words, length), Counter[tuple[str, ...]]()
        for other in others:
            most |= runs_of(other, length)
        added = int(length > 1)
        matches = (own & most).total() + added
        if matches == 0:
            return 0.0
        logarithms += math.log(matches / (own.total() + added)) / LONGEST
    nearest = min((abs(len(other) - len(words)), len(other)) for other in others)[1]
    return math.exp(logarithms + min(0.0, 1 - nearest / len(words)))


@pytest.mark.parametrize("seed", [0, 1])
def test_it_equals_the_plain_computation_against_all_others(seed: int) -> None:
    texts = [*random_texts(30, shortest=1, seed=seed), "unlike", "quite unlike all of them here"]
    expected = [plain_bleu(text, texts[:row] + texts[row + 1 :]) for row, text in enumerate(texts)]
    np.testing.assert_allclose(bleu_of_others(texts), expected, rtol=1e-12)
    assert self_bleu(texts) == pytest.approx(np.mean(expected))


@pytest.mark.slow  # imports torchmetrics, which takes seconds
def test_it_equals_the_smoothed_bleu_of_torchmetrics() -> None:
    bleu_score: Any = pytest.importorskip("torchmetrics.functional.text").bleu_score
    texts = random_texts(12, shortest=6, seed=2, num_words=2)
    found = bleu_of_others(texts)
    for row, text in enumerate(texts):
        # It takes the first of equally near lengths, we the shorter one.
        others = sorted(texts[:row] + texts[row + 1 :], key=lambda other: len(other.split()))
        expected = float(bleu_score([text], [others], smooth=True))
        # It gives 0 where no run of four words matches, smoothed or not.
        assert expected > 0
        assert found[row] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("text", ["one", "two words", "a text of no more than eight words here"])
def test_equal_texts_have_self_bleu_1_however_short(text: str) -> None:
    assert self_bleu([text] * 7) == 1


def test_texts_without_a_common_word_have_self_bleu_0() -> None:
    assert self_bleu(["a b c d e", "f g h i j", "k"]) == 0


def test_only_words_and_not_the_space_between_them_count() -> None:
    assert self_bleu(["a  b\tc\nd e", "a b c d e"]) == 1


def test_the_order_of_texts_changes_nothing() -> None:
    texts = random_texts(40, shortest=1, seed=3)
    np.testing.assert_allclose(bleu_of_others(texts)[::-1], bleu_of_others(texts[::-1]))


def test_texts_without_words_are_left_out_and_one_text_alone_has_none() -> None:
    assert self_bleu(["a b c", "", "a b d", " \n"]) == self_bleu(["a b c", "a b d"])
    for texts in ([], [""], ["", "alone"]):
        assert self_bleu(texts) is None


def test_a_thousand_evenly_spaced_texts_stand_for_more() -> None:
    texts = [f"{number} b c" for number in range(2 * MOST_TEXTS)]
    assert self_bleu(texts) == self_bleu(texts[::2])
