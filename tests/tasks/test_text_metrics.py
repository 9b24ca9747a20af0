"""Metrics of texts: closed forms and plain references."""

import math
from collections import Counter

import numpy as np
import pytest

from tasks.text_metrics import distinct, length_entropy, measure_texts
from tasks.token_tail import count_tokens, token_tail

EVERYTHING = {
    "word_length_entropy", "mean_words", "deviation_words", "share_empty", "share_truncated",
    "distinct_1", "distinct_2", "self_bleu",
}  # fmt: skip


def measured(texts: list[str], finished: list[bool] | None = None) -> dict[str, float]:
    ended = np.array(finished or [True] * len(texts))
    return measure_texts(texts, [np.arange(3, dtype=np.int32)] * len(texts), ended)


def test_one_length_has_no_entropy() -> None:
    entropy = length_entropy(np.full(9, 4))
    assert entropy == 0
    assert math.copysign(1, entropy) == 1, "not minus zero"


@pytest.mark.parametrize("number", [2, 10, 64])
def test_equally_many_texts_of_each_length_have_entropy_ln_m(number: int) -> None:
    assert length_entropy(np.repeat(np.arange(number), 7)) == pytest.approx(math.log(number))


def test_entropy_is_that_of_the_histogram_of_lengths() -> None:
    lengths = np.random.default_rng(0).geometric(0.1, 500)
    counts = Counter(lengths.tolist()).values()
    expected = -sum(count / 500 * math.log(count / 500) for count in counts)
    assert length_entropy(lengths) == pytest.approx(expected)


def test_entropy_depends_on_which_texts_are_as_long_not_on_how_long() -> None:
    lengths = np.array([1, 1, 5, 9])
    assert length_entropy(lengths) == length_entropy(lengths[::-1] * 100 + 3)


def test_distinct_counts_different_runs_over_all_runs_of_all_texts() -> None:
    assert distinct(["a b a b", "a b", "c"], 2) == [3 / 7, 2 / 4]
    assert distinct(["a", "b"], 2) == [1, None]
    assert distinct(["", " "], 2) == [None, None]


def test_a_run_of_words_does_not_reach_into_the_next_text() -> None:
    assert distinct(["a b", "b a"], 2)[1] == 1


def test_equal_texts_have_few_distinct_runs() -> None:
    assert distinct(["a b c d"] * 50, 2) == [4 / 200, 3 / 150]


def test_equal_texts_of_a_collapsed_model() -> None:
    found = measured(["to be or not"] * 20)
    assert found.keys() == EVERYTHING
    assert found == pytest.approx(
        {
            "word_length_entropy": 0, "mean_words": 4, "deviation_words": 0, "share_empty": 0,
            "share_truncated": 0, "distinct_1": 4 / 80, "distinct_2": 3 / 60, "self_bleu": 1,
        }
    )  # fmt: skip


def test_empty_and_truncated_texts_are_counted_and_not_dropped() -> None:
    found = measured(["a b", "", " \n", "a b c d"], [True, True, True, False])
    assert found["share_empty"] == 0.5
    assert found["share_truncated"] == 0.25
    assert found["mean_words"] == 1.5
    assert found["deviation_words"] == pytest.approx(np.std([2, 0, 0, 4]))
    assert found["word_length_entropy"] == pytest.approx(1.5 * math.log(2))


def test_what_is_not_defined_for_empty_texts_is_absent() -> None:
    found = measure_texts(["", ""], [np.empty(0, np.int32)] * 2, np.array([True, True]))
    assert found == {
        "word_length_entropy": 0, "mean_words": 0, "deviation_words": 0, "share_empty": 1,
        "share_truncated": 0,
    }  # fmt: skip


def test_the_tail_is_that_of_token_ids_and_not_of_words() -> None:
    tail = token_tail(count_tokens([np.arange(100)] * 2))
    # All types are used alike: those with the five largest ids are the rarest 5 %.
    for ids, expected in ((np.arange(95), 0), (np.arange(95, 100), 20), (np.arange(100), 1)):
        found = measure_texts(["any words"], [ids], np.array([True]), tail=tail)
        assert found["tail_coverage"] == pytest.approx(expected)


def test_texts_of_any_content_are_measured() -> None:
    texts = ["\x1b[31m\x00", "\ufffd" * 3, "x " * 200_000, "\u202e\u2028y", ""]
    found = measured(texts)
    assert found["mean_words"] == pytest.approx((1 + 1 + 200_000 + 2 + 0) / 5)
    assert all(math.isfinite(value) for value in found.values())
