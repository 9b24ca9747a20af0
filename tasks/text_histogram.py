"""Lengths of texts over the models p_0 .. p_T: their histograms, their entropy, drawn.

B bins, one for every number of words from 0.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.panels import band, colour_of, new_figure, one_legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def length_histograms(
    lengths: Sequence[IntArray],  # T + 1 of (n,), words of the texts of each model
) -> IntArray:  # (T + 1, B)
    """How many texts of each model have 0, 1, 2, ... words; the last bin is the longest text's."""
    num_bins = 1 + max((int(one.max()) for one in lengths if len(one)), default=0)
    return np.array([np.bincount(one, minlength=num_bins) for one in lengths], dtype=np.int64)


def draw_lengths(
    entropies: Mapping[str, FloatArray],  # arm -> (S, T + 1), nats
    histograms: Mapping[str, IntArray],  # arm -> (T + 1, B), texts of all seeds
    *,
    targets: Mapping[str, Sequence[float]] | None = None,
) -> "Figure":
    """Entropy of lengths over k, a line an arm, and the histograms of p_0 and of the last model.

    `targets` are the lengths that the rewards of an arm like most, dashed in its colour. An
    entropy that was not measured is NaN and leaves a gap. Histograms are shares of texts; an arm
    need not have as many bins or models as another.
    """
    assert entropies.keys() == histograms.keys()
    figure, panels = new_figure(3)
    curve, first, last = panels
    for arm, values in entropies.items():
        x = np.arange(values.shape[1], dtype=np.float64)
        band(curve, x, values, label=arm, colour=arm)
    curve.set_xlabel("k of the model p_k")
    curve.set_ylabel("word-length entropy, nats")
    for arm, counts in histograms.items():
        for panel, row in ((first, counts[0]), (last, counts[-1])):
            _draw_shares(panel, row, arm)
            for target in (targets or {}).get(arm, ()):
                colour = colour_of(panel, arm)
                panel.axvline(target, color=colour, linestyle="--", linewidth=1.0)
    ends = sorted({len(counts) - 1 for counts in histograms.values()})
    words = "words of a text"
    if any((targets or {}).values()):
        words += " (dashed: targets)"
    for panel, title in ((first, "p_0"), (last, f"p_k, k = {', '.join(map(str, ends))}")):
        panel.set_title(title, fontsize=10)
        panel.set_xlabel(words)
        panel.set_ylabel("share of texts")
    one_legend(panels, columns=min(6, len(entropies)))
    return figure


def _draw_shares(
    panel: Any,
    counts: IntArray,  # (B,)
    arm: str,
) -> None:
    # A bin is centred on its number of words.
    edges = np.arange(len(counts) + 1) - 0.5
    shares = counts / max(int(counts.sum()), 1)
    panel.stairs(shares, edges, color=colour_of(panel, arm), linewidth=1.2, label=arm)
