import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.errors import ConfigError
from data.texts import text_table
from rewards.length import LengthConfig, LengthReward, basin_radius
from rewards.registry import NO_BASIN, find_basins, known_suprema


def of_lengths(*lengths: int) -> pa.Table:
    """One text of each number of words."""
    ids = [np.zeros(length, np.int32) for length in lengths]
    return text_table(ids, ["word " * one for one in lengths], np.ones(len(lengths), bool))


def rewards(*targets: int) -> list[LengthReward]:
    return [LengthReward(LengthConfig(target=target)) for target in targets]


def basins(lengths: list[int], *targets: int) -> list[int]:
    found = find_basins(rewards(*targets), of_lengths(*lengths))
    assert found is not None
    return [int(label) for label in found]


def test_score_is_minus_the_distance_to_the_target_in_words() -> None:
    scores = rewards(10)[0](of_lengths(10, 0, 9, 11, 50))
    np.testing.assert_array_equal(scores, [0, -10, -1, -1, -40])
    doubled = LengthReward(LengthConfig(target=10, gamma=2.0))(of_lengths(7))
    np.testing.assert_array_equal(doubled, [-6])


def test_scores_around_the_target_are_symmetric() -> None:
    off = np.arange(10)
    (reward,) = rewards(10)
    np.testing.assert_array_equal(reward(of_lengths(*(10 + off))), reward(of_lengths(*(10 - off))))


def test_the_supremum_is_the_score_at_the_target() -> None:
    np.testing.assert_array_equal(known_suprema(rewards(10, 30)), [0.0, 0.0])


@pytest.mark.parametrize(
    ("targets", "radius"),
    [((10, 50), 3), ((10, 20), 3), ((10, 15), 2.5), ((10, 12, 50), 1), ((10,), 3), ((10, 10), 3)],
)
def test_basins_are_at_most_three_words_and_half_the_smallest_distance_wide(
    targets: tuple[int, ...], radius: float
) -> None:
    assert basin_radius(targets) == radius


def test_texts_far_from_every_target_are_in_no_basin() -> None:
    lengths = [6, 7, 10, 13, 14, 26, 27, 30, 33, 34]
    expected = [NO_BASIN, 0, 0, 0, NO_BASIN, NO_BASIN, 1, 1, 1, NO_BASIN]
    assert basins(lengths, 10, 30) == expected


def test_a_text_between_two_near_targets_is_of_the_first() -> None:
    assert basins([9, 10, 11, 12, 13, 14], 10, 12) == [0, 0, 0, 1, 1, NO_BASIN]


def test_equal_targets_are_one_basin_of_the_first_reward() -> None:
    assert basins([6, 7, 10, 13, 14], 10, 10) == [NO_BASIN, 0, 0, 0, NO_BASIN]
    assert basins([7, 14], 10) == [0, NO_BASIN]


def test_a_negative_target_and_samples_without_texts_are_refused() -> None:
    with pytest.raises(ValidationError, match="target"):
        LengthConfig(target=-1)
    with pytest.raises(ConfigError, match="reward length: expected samples with a column 'text'"):
        rewards(10)[0](pa.table({"x": [1.0]}))
    with pytest.raises(ConfigError, match="basins of reward length: expected samples with a col"):
        LengthReward.basin_labels(rewards(10), pa.table({"x": [1.0]}))
