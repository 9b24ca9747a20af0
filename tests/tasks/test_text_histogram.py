"""Histograms of lengths, and the curves and panels drawn of them."""

from typing import Any

import numpy as np

from tasks.figures import COLOURS
from tasks.text_histogram import draw_lengths, length_histograms

ENTROPIES = {
    "single": np.array([[2.0, 1.0, 0.0], [2.2, 1.0, 0.2]]),
    "pluralistic": np.array([[2.0, np.nan, 0.7]]),
}
HISTOGRAMS = {
    "single": np.array([[1, 1, 2], [0, 4, 0], [0, 0, 4]]),
    "pluralistic": np.array([[1, 3], [2, 2], [4, 4]]),
}


def shares_of(patch: Any) -> tuple[Any, Any]:
    """Heights and edges of a drawn histogram."""
    values, edges, _ = patch.get_data()
    return values, edges


def test_a_row_counts_the_texts_of_a_model_by_their_words() -> None:
    found = length_histograms([np.array([1, 1, 0]), np.array([4]), np.empty(0, np.int64)])
    assert found.tolist() == [[1, 2, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert length_histograms([np.empty(0, np.int64)]).tolist() == [[0]]


def test_entropies_are_curves_over_k_with_gaps_where_nothing_was_measured() -> None:
    curve = draw_lengths(ENTROPIES, HISTOGRAMS).axes[0]
    single, pluralistic = curve.lines
    np.testing.assert_allclose(np.asarray(single.get_ydata(), np.float64), [2.1, 1.0, 0.1])
    assert np.flatnonzero(np.isnan(pluralistic.get_ydata())).tolist() == [1]
    assert curve.get_xlabel() == "k of the model p_k"
    assert "nats" in curve.get_ylabel()


def test_histograms_are_shares_of_the_first_and_of_the_last_model() -> None:
    figure = draw_lengths(ENTROPIES, HISTOGRAMS)
    _, first, last = figure.axes
    assert [panel.get_title() for panel in (first, last)] == ["p_0", "p_k, k = 2"]
    for panel, row in ((first, 0), (last, 2)):
        for patch, (arm, counts) in zip(panel.patches, HISTOGRAMS.items(), strict=True):
            values, edges = shares_of(patch)
            np.testing.assert_allclose(values, counts[row] / counts[row].sum())
            # A bin is centred on its number of words.
            np.testing.assert_allclose((edges[1:] + edges[:-1]) / 2, np.arange(len(counts[0])))
            assert patch.get_label() == arm


def test_an_arm_has_one_colour_in_all_panels_and_one_legend_names_it() -> None:
    figure = draw_lengths(ENTROPIES, HISTOGRAMS)
    curve, first, last = figure.axes
    assert [line.get_color() for line in curve.lines] == [COLOURS[arm] for arm in ENTROPIES]
    for panel in (first, last):
        drawn = [patch.get_edgecolor() for patch in panel.patches]
        assert len(set(drawn)) == 2
        assert panel.get_legend() is None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(ENTROPIES)


def test_targets_are_dashed_lines_in_the_colour_of_their_arm() -> None:
    figure = draw_lengths(ENTROPIES, HISTOGRAMS, targets={"single": (10, 30)})
    for panel in figure.axes[1:]:
        assert [np.asarray(line.get_xdata()).tolist() for line in panel.lines] == [
            [10, 10],
            [30, 30],
        ]
        assert {line.get_color() for line in panel.lines} == {COLOURS["single"]}


def test_arms_of_different_lengths_are_named_by_all_their_last_models() -> None:
    shorter = HISTOGRAMS | {"pluralistic": HISTOGRAMS["pluralistic"][:2]}
    assert draw_lengths(ENTROPIES, shorter).axes[2].get_title() == "p_k, k = 1, 2"


def test_a_model_whose_texts_were_not_counted_draws_nothing_and_divides_by_nothing() -> None:
    empty = {"single": np.zeros((2, 3), np.int64)}
    figure = draw_lengths({"single": np.full((1, 2), np.nan)}, empty)
    values, _ = shares_of(figure.axes[1].patches[0])
    assert values.tolist() == [0, 0, 0]
