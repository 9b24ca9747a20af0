"""Remarks on the theory checks: made where the runs are there, with the numbers measured."""

import numpy as np

from tasks.theory_figure import draw_checks
from tasks.theory_remarks import remarks
from tests.tasks.idealised import paths_of
from tests.tasks.test_theory_checks import everything


def test_all_disagreements_with_the_text_are_said() -> None:
    said = remarks(everything())
    parts = ("copy error", "exponentially", "d = 1", "almost instantly", "grid points", "opposite")
    assert len(said) == len(parts)
    for paragraph, part in zip(said, parts, strict=True):
        assert part in paragraph


def test_the_sign_of_under_bargaining_comes_with_the_measured_excess() -> None:
    (said,) = [one for one in remarks(paths_of((2.0,), (0.1, 0.9))) if "under-bargains" in one]
    assert "by up to 0.0108 (d = 2, q = 0.1: 0.0892)" in said
    assert "fall short" not in said


def test_at_distance_1_the_share_falls_short_only_for_the_mass_outside() -> None:
    (said,) = [one for one in remarks(everything()) if "under-bargains" in one]
    assert "(q = 0.6: 0.498)" in said
    assert "0.681 is in the preferred one" in said


def test_nothing_is_said_about_runs_that_are_not_there() -> None:
    assert remarks({}) == []
    assert len(remarks(paths_of((3.0,), (0.5,)))) == 0


def test_the_figure_has_bounds_decay_and_errors_of_every_distance() -> None:
    shares, outside, errors = draw_checks(everything()).axes
    assert len(shares.lines) == 3 + 1  # three distances and the line at 0
    assert len(outside.lines) == 7 + 1  # seven distances and where the fit begins
    assert [np.size(line.get_xdata()) for line in errors.lines] == [3, 4]


def test_a_figure_can_be_drawn_of_few_runs_or_none() -> None:
    # Without the nine weights of the Nash error there is no third panel.
    assert len(draw_checks(paths_of((6.0,), (0.25,))).axes) == 2
    assert len(draw_checks({}).axes) == 2
