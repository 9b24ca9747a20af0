"""Words of a text: how many there are, and which of them carry its content."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

WORD = re.compile(r"[^\W_]+")
SHORTEST = 3
# English words that carry no content, of three letters and more; shorter ones never count.
_LIST = """
about above after again against all although among and another any anyone anything are around
because been before being below between both but can cannot could did does doing done down
during each either else even ever every everyone everything few for from further had has have
having her here hers herself him himself his how however into its itself just least less let
many may might mine more most much must myself neither never nor not nothing now off once one
only onto other others our ours ourselves out over own per perhaps please quite rather same
shall she should since some someone something still such than that the their theirs them
themselves then there these they this those though through thus too toward towards under unless
until upon very was were what whatever when where whether which while who whom whose why will
with within without would yet you your yours yourself yourselves
"""
FUNCTION_WORDS = frozenset(_LIST.split())


def word_counts(
    texts: Sequence[str],  # n
) -> IntArray:  # (n,)
    """L of the paper's section C.6: how many words each text has, as white space separates them."""
    return np.array([len(text.split()) for text in texts], dtype=np.int64)


def content_words(text: str) -> frozenset[str]:
    """Distinct runs of letters and digits, in lower case, that carry content.

    Content is carried by three letters or more that are no English function word.
    """
    words = (word.casefold() for word in WORD.findall(text))
    return frozenset(word for word in words if len(word) >= SHORTEST and word not in FUNCTION_WORDS)
