"""Panels: what they draw, in which colours, with which bands."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tasks.figures import COLOURS
from tasks.intervals import mean_interval
from tasks.panels import PALETTE, band, new_figure, theory_line

X = np.arange(3.0)


def colours_of(panel: object) -> list[str]:
    return [to_hex(line.get_color()).upper() for line in panel.lines]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("number", "shown"), [(1, 1), (3, 3), (4, 6)])
def test_panels_stand_in_rows_of_three_and_spare_ones_are_hidden(number: int, shown: int) -> None:
    figure, panels = new_figure(number)
    assert len(panels) == number
    assert len(figure.axes) == shown
    assert sum(panel.get_visible() for panel in figure.axes) == number


def test_arms_keep_their_colours_in_every_panel() -> None:
    _, panels = new_figure(2)
    for panel, arms in zip(panels, (("single", "pluralistic"), ("pluralistic",)), strict=True):
        for arm in arms:
            band(panel, X, np.ones((1, 3)), label=arm, colour=arm)
        assert colours_of(panel) == [COLOURS[arm] for arm in arms]


def test_other_names_take_colours_in_turn_and_keep_them() -> None:
    _, (panel,) = new_figure(1)
    for name in ("a", "b", "a", "c"):
        band(panel, X, np.ones((1, 3)), label=name, colour=name)
    first, second, again, third = colours_of(panel)
    assert first == again
    assert len({first, second, third}) == 3
    assert {first, second, third} <= set(PALETTE)


def test_a_single_seed_has_no_band() -> None:
    _, (panel,) = new_figure(1)
    band(panel, X, np.array([[1.0, 2.0, 4.0]]), label="one", colour="one")
    assert len(panel.collections) == 0
    np.testing.assert_array_equal(panel.lines[0].get_ydata(), [1, 2, 4])


def test_a_band_is_the_interval_of_the_mean_over_seeds() -> None:
    values = np.array([[1.0, 2.0, 4.0], [2.0, 2.5, 4.0], [3.0, 2.0, 5.0]])
    _, (panel,) = new_figure(1)
    band(panel, X, values, label="three", colour="three")
    np.testing.assert_allclose(panel.lines[0].get_ydata(), values.mean(axis=0))
    corners = panel.collections[0].get_paths()[0].vertices
    _, low, high = mean_interval(values[:, 0])
    at_0 = corners[corners[:, 0] == 0][:, 1]
    assert [at_0.min(), at_0.max()] == pytest.approx([low, high])


def test_a_dashed_line_of_the_theory_is_named_once() -> None:
    _, (panel,) = new_figure(1)
    for _ in range(2):
        theory_line(panel, X, X, "theory")
    assert [line.get_linestyle() for line in panel.lines] == ["--", "--"]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["theory"]
