import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from rewards.brevity import BrevityConfig, BrevityReward
from rewards.length import LengthConfig, LengthReward
from rewards.text_examples import random_conversations


def test_brevity_is_a_length_preference_for_no_words() -> None:
    samples = random_conversations(50, seed=2)
    brief = BrevityReward(BrevityConfig(gamma=0.5))
    none = LengthReward(LengthConfig(target=0, gamma=0.5))
    np.testing.assert_array_equal(brief(samples), none(samples))
    assert brief.supremum == 0.0


def test_samples_without_texts_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward brevity: expected samples with a column 'text'"):
        BrevityReward.example()(pa.table({"x": [1.0]}))
