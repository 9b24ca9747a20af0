"""Measured quantities of generated texts: lengths, variety, tail. n texts.

Words are what lies between whitespace; the length L of a text is its number of words.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rewards.words import word_counts
from tasks.self_bleu import self_bleu
from tasks.token_tail import TokenTail
from tasks.word_ngrams import word_ngrams

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
TokenIds = npt.NDArray[np.integer[Any]]


def measure_texts(
    texts: Sequence[str],  # n
    token_ids: Sequence[TokenIds],  # n of (length,)
    finished: BoolArray,  # (n,)
    *,
    tail: TokenTail | None = None,
) -> dict[str, float]:
    """Everything the texts of a model say about it, by metric. At least one text.

    - `word_length_entropy`: entropy in nats of the histogram of L, a bin a word;
    - `mean_words`, `deviation_words`: mean and population deviation of L;
    - `share_empty`: texts without a word; `share_truncated`: texts cut off by their length;
    - `distinct_1`, `distinct_2`: as `distinct`; absent where no text is as long;
    - `self_bleu`: as `tasks.self_bleu`; absent where fewer than two texts have a word;
    - `tail_coverage`, with `tail`: share of tokens among p_0's rarest types, over .05; absent
      where no text has a token.

    Truncated texts count like all others.
    """
    assert len(texts) == len(token_ids) == len(finished) > 0
    lengths = word_counts(texts)
    measured = {
        "word_length_entropy": length_entropy(lengths),
        "mean_words": float(lengths.mean()),
        "deviation_words": float(lengths.std()),
        "share_empty": float(np.mean(lengths == 0)),
        "share_truncated": float(np.mean(~finished)),
    }
    one, two = distinct(texts, 2)
    where_defined = {
        "distinct_1": one,
        "distinct_2": two,
        "self_bleu": self_bleu(texts),
        "tail_coverage": None if tail is None else tail.coverage(token_ids),
    }
    return measured | {name: value for name, value in where_defined.items() if value is not None}


def length_entropy(
    lengths: IntArray,  # (n,)
) -> float:
    """Entropy of the shares of texts with each length, nats: 0 for one length, ln m for m."""
    counts = np.unique(lengths, return_counts=True)[1]
    return math.fsum(-share * math.log(share) for share in counts / len(lengths)) + 0.0


def distinct(
    texts: Sequence[str],  # n
    longest: int,
) -> list[float | None]:  # (longest,)
    """Different runs of 1 .. `longest` words in all texts together, over all runs (distinct-n).

    Both are counted over the whole set and divided once, as by Li et al. (2016), not averaged
    over texts; the ratio falls with the number of texts. None where there is no such run.
    """
    return [
        len(np.unique(runs)) / len(runs) if len(runs) else None
        for runs, _ in word_ngrams(texts, longest)
    ]
