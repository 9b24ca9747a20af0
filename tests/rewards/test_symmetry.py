"""Left-right symmetry."""

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from data.images import image_table
from rewards.symmetry import SymmetryConfig, SymmetryReward
from tests.rewards.pictures import drawn

SYMMETRY = SymmetryReward(SymmetryConfig(gamma=3.0))
IMAGES = np.random.default_rng(2).integers(256, size=(9, 5, 6, 3)).astype(np.uint8)


@pytest.mark.parametrize("rows", [("....",), ("#..#", ".++."), ("#+#",)])
def test_a_symmetric_image_scores_gamma(rows: tuple[str, ...]) -> None:
    assert SYMMETRY(drawn(*rows)).tolist() == [3.0] == [SYMMETRY.supremum]


def test_an_image_that_is_the_negative_of_its_mirror_image_scores_0() -> None:
    assert SYMMETRY(drawn("##..", "#.#.")).tolist() == [0.0]


def test_an_image_without_partner_pixels_loses_their_share() -> None:
    assert SYMMETRY(drawn("#...", "....")) == pytest.approx([3 * (1 - 2 / 8)])
    assert SYMMETRY(drawn("+...", "....")) == pytest.approx([3 * (1 - 2 * 100 / 255 / 8)])


def test_mirroring_or_turning_upside_down_changes_nothing() -> None:
    scores = SYMMETRY(image_table(IMAGES))
    for other in (IMAGES[:, :, ::-1], IMAGES[:, ::-1]):
        np.testing.assert_allclose(SYMMETRY(image_table(other)), scores, rtol=1e-12)


def test_colours_are_compared_channel_by_channel() -> None:
    left = np.zeros((1, 1, 2, 3), np.uint8)
    left[0, 0, 0, 0] = 255
    assert SYMMETRY(image_table(left)) == pytest.approx([3 * (1 - 2 / 6)])


def test_samples_without_images_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^reward symmetry: expected a column 'image'"):
        SYMMETRY(pa.table({"x": [0.0]}))
