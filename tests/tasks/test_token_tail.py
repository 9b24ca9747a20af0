"""The rarest types of p_0: closed forms, a plain reference, the law of p_0's own tokens."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from data import parquet
from data.errors import BadNumbers
from tasks.token_tail import TAIL_SHARE, TOKEN_COUNTS, count_tokens, token_tail

IntArray = npt.NDArray[np.int64]


def texts_of_p_0(num_tokens: int, vocabulary: int, *, seed: int) -> list[IntArray]:
    """Texts of 0 to 40 tokens by Zipf's law; larger ids are rarer."""
    rng = np.random.default_rng(seed)
    masses = 1 / np.arange(1, vocabulary + 1)
    tokens = rng.choice(vocabulary, num_tokens, p=masses / masses.sum())
    cuts = np.cumsum(rng.integers(0, 41, num_tokens // 20))
    return np.split(tokens, cuts[cuts < num_tokens])


def plain_coverage(initial: list[IntArray], texts: list[IntArray]) -> float:
    ranked = Counter(np.concatenate(initial[::2]).tolist())
    sized = Counter(np.concatenate(initial[1::2]).tolist())
    wanted, rarity = TAIL_SHARE * sized.total(), {}
    for kind in sorted(set(ranked) | set(sized), key=lambda kind: (ranked[kind], -kind)):
        taken = min(wanted, sized[kind])
        # Types on which the sizing texts spend nothing cost nothing until all is spent.
        rarity[kind] = (taken / sized[kind] if sized[kind] else 1.0) if wanted > 0 else 0.0
        wanted -= taken
    tokens = np.concatenate(texts).tolist()
    return sum(rarity[token] for token in tokens) / len(tokens) / TAIL_SHARE


def test_it_equals_the_plain_count_of_rare_tokens() -> None:
    initial = texts_of_p_0(3_000, 60, seed=0)
    tail = token_tail(count_tokens(initial))
    seen = set(np.concatenate(initial).tolist())
    for seed in (1, 2):
        texts = [
            np.array([token for token in text if token in seen])
            for text in texts_of_p_0(2_000, 60, seed=seed)
        ]
        assert tail.coverage(texts) == pytest.approx(plain_coverage(initial, texts))


# Also with a vocabulary of which most types are never sampled.
@pytest.mark.parametrize(("num_tokens", "vocabulary"), [(60_000, 300), (40_000, 50_000)])
def test_fresh_texts_of_p_0_cover_its_tail_once(num_tokens: int, vocabulary: int) -> None:
    tail = token_tail(count_tokens(texts_of_p_0(num_tokens, vocabulary, seed=0)))
    measured = tail.coverage(texts_of_p_0(30_000, vocabulary, seed=1))
    # Sampling noise of the size of the tail (half of the texts) and of the share in it.
    deviation = np.sqrt((2 / num_tokens + 1 / 30_000) * (1 - TAIL_SHARE) / TAIL_SHARE)
    assert measured == pytest.approx(1, abs=4 * deviation)


def test_a_model_of_frequent_types_covers_nothing_and_one_of_rare_types_all() -> None:
    tail = token_tail(count_tokens(texts_of_p_0(60_000, 300, seed=0)))
    assert tail.coverage([np.zeros(10, np.int32)]) == 0
    assert tail.coverage([np.full(10, 299, np.int32)]) == pytest.approx(1 / TAIL_SHARE)


def test_types_that_p_0_never_used_are_rarer_than_those_it_used() -> None:
    tail = token_tail(count_tokens([np.arange(100)] * 4))
    assert tail.coverage([np.array([100, 30_000, 2**31 - 1])]) == pytest.approx(1 / TAIL_SHARE)


def test_masses_too_coarse_for_5_percent_are_shared_out() -> None:
    one_type = token_tail(count_tokens([np.zeros(8, np.int64)] * 2))
    assert one_type.coverage([np.zeros(3, np.int64)]) == pytest.approx(1)
    two = token_tail(count_tokens([np.array([0, 0, 0, 1])] * 2))
    assert two.coverage([np.array([1])]) == pytest.approx(1 / 0.25)
    assert two.coverage([np.array([0, 0, 0, 1])]) == pytest.approx(1)


def test_texts_without_tokens_have_no_coverage() -> None:
    tail = token_tail(count_tokens([np.arange(9)] * 2))
    assert tail.coverage([]) is None
    assert tail.coverage([np.empty(0, np.int32)] * 3) is None


def test_counts_are_of_every_second_text_and_survive_their_file() -> None:
    texts = [np.array([7, 7, 3], np.int32), np.array([3, 9], np.int32), np.array([7], np.int32)]
    counted = count_tokens(texts)
    assert counted.to_pydict() == {"token_id": [3, 7, 9], "ranked": [1, 3, 0], "sized": [1, 0, 1]}
    assert counted.schema.equals(TOKEN_COUNTS, check_metadata=True)
    sink = pa.BufferOutputStream()
    parquet.write_table(counted, sink)
    read = token_tail(parquet.parse_table(sink.getvalue().to_pybytes()))
    found, expected = read.membership(np.arange(12)), token_tail(counted).membership(np.arange(12))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("texts", [[], [np.arange(3)], [np.arange(3), np.empty(0, np.int64)] * 5])
def test_samples_of_which_every_second_is_empty_are_refused(texts: list[IntArray]) -> None:
    with pytest.raises(BadNumbers, match=r"expected tokens in samples of p_0, got \d+ texts of"):
        count_tokens(texts)
