"""Words of a text: how many there are, and which."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

WORD = re.compile(r"[^\W_]+")


def word_counts(
    texts: Sequence[str],  # n
) -> IntArray:  # (n,)
    """L of the paper's section C.6: how many words each text has, as white space separates them."""
    return np.array([len(text.split()) for text in texts], dtype=np.int64)


def distinct_words(text: str) -> frozenset[str]:
    """Distinct runs of letters and digits, whatever their case."""
    return frozenset(word.casefold() for word in WORD.findall(text))
