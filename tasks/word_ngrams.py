"""Runs of words of many texts as numbers, in which counting is a matter of sorting.

A word is what lies between whitespace, as `str.split` cuts it. A run lies within one text.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def word_ngrams(
    texts: Sequence[str],  # n
    longest: int,
) -> Iterator[tuple[IntArray, IntArray]]:  # (M,), (M,)
    """For runs of 1, 2, ... `longest` words: the number of every run, and of its text.

    Equal runs of a length have equal numbers, different ones different numbers.
    """
    numbers: dict[str, int] = {}
    words = [[numbers.setdefault(word, len(numbers)) for word in text.split()] for text in texts]
    codes = np.array([code for text in words for code in text], dtype=np.int64)
    owners = np.repeat(np.arange(len(texts)), np.array([len(text) for text in words], dtype=int))
    starts, runs = np.arange(len(codes)), codes
    for length in range(1, longest + 1):
        if length > 1:
            fits = starts + length - 1 < len(codes)
            starts, runs = starts[fits], runs[fits]
            together = owners[starts] == owners[starts + length - 1]
            starts, runs = starts[together], runs[together]
            # Runs are numbered anew at every length, so that no product leaves 64 bits.
            joined = runs * max(len(numbers), 1) + codes[starts + length - 1]
            runs = np.unique(joined, return_inverse=True)[1]
        yield runs, owners[starts]
