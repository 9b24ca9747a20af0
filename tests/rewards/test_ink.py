"""Mean ink."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import ConfigError
from data.images import image_table
from rewards.ink import InkConfig, InkReward
from rewards.symmetry import SymmetryConfig, SymmetryReward
from rewards.thinness import ThinnessConfig, ThinnessReward
from tests.rewards.pictures import bytes_of_digits, drawn

INK = InkReward(InkConfig(gamma=2.0))
IMAGES = np.random.default_rng(2).integers(256, size=(9, 5, 6, 3)).astype(np.uint8)


def test_an_empty_image_scores_0_a_full_one_gamma_and_half_of_it_the_half() -> None:
    assert INK(drawn("..", "..")).tolist() == [0.0]
    assert INK(drawn("##", "##")).tolist() == [2.0] == [INK.supremum]
    assert INK(drawn("#.", ".#")).tolist() == [1.0]


def test_scores_are_the_mean_byte_of_images_of_any_shape() -> None:
    expected = [2.0 * float(image.mean()) / 255 for image in IMAGES]
    np.testing.assert_allclose(INK(image_table(IMAGES)), expected, rtol=1e-12)


def test_ink_and_thinness_are_opposed_on_real_digits_and_symmetry_is_a_third_taste() -> None:
    digits = image_table(bytes_of_digits())
    rewards = (INK, ThinnessReward(ThinnessConfig()), SymmetryReward(SymmetryConfig()))
    scores = np.array([reward(digits) for reward in rewards])
    correlations = np.corrcoef(scores)
    assert correlations[0, 1] == pytest.approx(-0.57, abs=0.01)
    assert np.abs(correlations[2, :2]).max() < 0.1
    # Not one digit is among the best tenth of both.
    best = [set(np.argsort(-row)[:180].tolist()) for row in scores[:2]]
    assert not best[0] & best[1]


def test_samples_without_images_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^reward ink: expected a column 'image'.* got x"):
        INK(pa.table({"x": [0.0]}))


@pytest.mark.parametrize("gamma", [0.0, -1.0, np.inf])
def test_gamma_has_to_be_positive_and_finite(gamma: float) -> None:
    with pytest.raises(ValidationError, match="gamma"):
        InkConfig(gamma=gamma)
