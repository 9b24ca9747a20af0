import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from data.texts import text_table
from rewards.brevity import BrevityReward
from rewards.word_coverage import WordCoverageConfig, WordCoverageReward


def answers(prompt: str, *texts: str) -> pa.Table:
    ids = [np.zeros(0, np.int32)] * len(texts)
    return text_table(ids, texts, np.ones(len(texts), bool), prompts=[prompt] * len(texts))


def test_score_is_the_share_of_the_prompts_words_in_the_text() -> None:
    samples = answers(
        "The river: is it near THE sea?",  # the river is it near sea
        "", "a mountain", "A river.", "RIVER, river: near", "sea near it is the river",
    )  # fmt: skip
    scores = WordCoverageReward(WordCoverageConfig(gamma=6.0))(samples)
    np.testing.assert_allclose(scores, [0, 0, 1, 2, 6])


def test_repeating_the_prompt_reaches_the_supremum() -> None:
    prompt = "Explain quantum tunnelling to a child"
    reward = WordCoverageReward(WordCoverageConfig(gamma=3.0))
    np.testing.assert_array_equal(reward(answers(prompt, prompt)), [reward.supremum])


def test_a_prompt_without_words_is_covered_by_every_text() -> None:
    scores = WordCoverageReward.example()(answers("?!", "", "a river"))
    np.testing.assert_array_equal(scores, [1, 1])


def test_coverage_and_brevity_disagree_about_every_text_that_covers_more() -> None:
    samples = answers(
        "river mountain winter", "", "river", "river mountain", "river mountain winter"
    )
    assert (np.diff(WordCoverageReward.example()(samples)) > 0).all()
    assert (np.diff(BrevityReward.example()(samples)) < 0).all()


def test_samples_without_prompts_are_refused() -> None:
    samples = answers("x", "y").drop_columns(["prompt"])
    with pytest.raises(ConfigError, match="reward word-coverage: expected .* column 'prompt'"):
        WordCoverageReward.example()(samples)
