"""Self-BLEU: how much of every text the other texts have already said (Zhu et al. 2018)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rewards.words import word_counts
from tasks.precision_recall import evenly_spaced
from tasks.word_ngrams import word_ngrams

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LONGEST = 4  # words in a run
MOST_TEXTS = 1_000


def self_bleu(
    texts: Sequence[str],  # n
) -> float | None:
    """Mean over texts of their BLEU-4 against all other texts: 1 where all are equal.

    Runs of more than one word count one more match and one more run than there are (Lin and
    Och 2004), as most texts of a few words would have BLEU 0 otherwise. At most 1,000 texts,
    evenly spaced, are compared; it grows with their number, so compare equal numbers only. Texts
    without words have no BLEU and are left out; None where fewer than two remain.
    """
    worded = [text for text in texts if text.split()]
    chosen = [worded[row] for row in evenly_spaced(len(worded), MOST_TEXTS)]
    return float(bleu_of_others(chosen).mean()) if len(chosen) > 1 else None


def bleu_of_others(
    texts: Sequence[str],  # n of at least two, each with a word
) -> FloatArray:  # (n,)
    """Smoothed BLEU-4 of each text with all others as its references (Papineni et al. 2002).

    Of references of equally near lengths the shorter counts.
    """
    product = np.ones(len(texts))
    for length, (runs, owners) in enumerate(word_ngrams(texts, LONGEST), start=1):
        matches = _matches(runs, owners, len(texts))
        totals = np.bincount(owners, minlength=len(texts))
        added = 0 if length == 1 else 1
        product *= (matches + added) / (totals + added)
    scores: FloatArray = product ** (1 / LONGEST) * _brevity(word_counts(texts))
    return scores


def _matches(
    runs: IntArray,  # (M,)
    owners: IntArray,  # (M,)
    num_texts: int,
) -> FloatArray:  # (n,)
    """Runs of each text that one other text has as often, counted up to as often as that.

    The most any other text has of a run is the most there is, or the second most for the text
    that holds the most; so all references together cost one sort.
    """
    pairs, counts = np.unique(runs * num_texts + owners, return_counts=True)
    kinds, holders = np.divmod(pairs, num_texts)
    order = np.lexsort((-counts, kinds))
    kinds, holders, counts = kinds[order], holders[order], counts[order]
    is_most = np.ones(len(kinds), dtype=bool)
    is_most[1:] = kinds[1:] != kinds[:-1]
    following = np.append(np.where(is_most[1:], 0, counts[1:]), 0)[: len(kinds)]
    kind = np.cumsum(is_most) - 1
    of_others = np.where(is_most, following, counts[is_most][kind])
    clipped = np.minimum(counts, of_others)
    return np.bincount(holders, weights=clipped, minlength=num_texts).astype(np.float64)


def _brevity(
    lengths: IntArray,  # (n,)
) -> FloatArray:  # (n,)
    """exp(1 - r/c) for a text of c words whose nearest other length r is larger; else 1."""
    order = np.argsort(lengths, kind="stable")
    ranked = lengths[order].astype(np.float64)
    below = np.concatenate([[-np.inf], ranked[:-1]])
    above = np.concatenate([ranked[1:], [np.inf]])
    nearest = np.where(ranked - below <= above - ranked, below, above)
    penalties = np.empty(len(lengths))
    penalties[order] = np.exp(np.minimum(0, 1 - nearest / ranked))
    return penalties
