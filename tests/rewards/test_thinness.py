"""Thinness of strokes: outline over area."""

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from data.images import image_table
from rewards.thinness import ThinnessConfig, ThinnessReward
from tests.rewards.pictures import bytes_of_digits, drawn

THINNESS = ThinnessReward(ThinnessConfig(gamma=4.0))


def test_separate_dots_score_gamma_and_an_empty_image_0() -> None:
    assert THINNESS(drawn("#.#", ".#.")).tolist() == [4.0] == [THINNESS.supremum]
    assert THINNESS(drawn("...")).tolist() == [0.0]


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_stroke_scores_its_outline_over_four_times_its_area(width: int) -> None:
    length = 6
    stroke = drawn(*["." + "#" * width + "."] * length)
    outline, area = 2 * (length + width), length * width
    assert THINNESS(stroke) == pytest.approx([4 * outline / (4 * area)])


def test_a_stroke_at_the_edge_of_the_image_has_its_outline_there_too() -> None:
    assert THINNESS(drawn("##", "##")) == pytest.approx(THINNESS(drawn("....", ".##.", ".##.")))


def test_paler_ink_scores_the_same() -> None:
    rows = ("..#.", ".##.", ".#..")
    pale = [row.replace("#", "+") for row in rows]
    np.testing.assert_allclose(THINNESS(drawn(*pale)), THINNESS(drawn(*rows)), rtol=1e-12)


def test_moving_mirroring_and_turning_change_nothing() -> None:
    images = np.zeros((4, 7, 7, 2), np.uint8)
    images[:, 1:5, 1:5] = np.random.default_rng(4).integers(256, size=(4, 4, 4, 2))
    scores = THINNESS(image_table(images))
    others = (np.roll(images, 2, axis=1), images[:, :, ::-1], images.transpose(0, 2, 1, 3))
    for other in others:
        np.testing.assert_allclose(THINNESS(image_table(other)), scores, rtol=1e-12)


def test_thickening_the_strokes_of_real_digits_lowers_the_score() -> None:
    digits = bytes_of_digits()[:300]
    framed = np.pad(digits, ((0, 0), (1, 1), (1, 1), (0, 0)))
    thicker = np.maximum(framed[:, :, 1:], framed[:, :, :-1])
    lowered = THINNESS(image_table(thicker)) < THINNESS(image_table(framed))
    assert lowered.mean() > 0.99


def test_samples_without_images_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^reward thinness: expected a column 'image'"):
        THINNESS(pa.table({"x": [0.0]}))
