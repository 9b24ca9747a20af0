"""The held-out tenth and the digest of texts."""

import hashlib

import pytest

from data.text_split import HELD_OUT_SHARE, is_held_out, part_of, texts_digest

TEXTS = [f"text number {number}" for number in range(2_000)]


def test_every_text_is_in_one_split_and_about_a_tenth_is_held_out() -> None:
    train, held_out = part_of(TEXTS, "train"), part_of(TEXTS, "held-out")
    assert sorted([*train, *held_out]) == sorted(TEXTS)
    # Three standard deviations of a binomial count.
    deviation = (HELD_OUT_SHARE * (1 - HELD_OUT_SHARE) * len(TEXTS)) ** 0.5
    assert len(held_out) == pytest.approx(HELD_OUT_SHARE * len(TEXTS), abs=3 * deviation)


def test_neither_order_nor_the_other_texts_move_a_text() -> None:
    assert set(part_of(TEXTS[::-1], "held-out")) == set(part_of(TEXTS, "held-out"))
    assert (
        part_of(TEXTS[:300], "held-out")
        == part_of(TEXTS, "held-out")[: len(part_of(TEXTS[:300], "held-out"))]
    )


def test_the_split_is_by_the_sha256_of_the_text() -> None:
    for text in TEXTS[:50]:
        naive = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) / 16**16 < HELD_OUT_SHARE
        assert is_held_out(text) == naive


def test_the_digest_knows_order_and_limits() -> None:
    cases = [["ab", "c"], ["a", "bc"], ["c", "ab"], ["abc"], []]
    digests = [texts_digest(texts) for texts in cases]
    assert len(set(digests)) == 5
    assert texts_digest(iter(["ab", "c"])) == digests[0]
