"""Prompts of a round: none twice in a pass, K rows each, held-out ones to evaluate."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from data.errors import ConfigError
from data.prompts import load_prompts
from flows import qwen
from flows.gmm import smoke
from tasks.prompt_groups import PromptsConfig, check_prompts, prompts_of_round
from tasks.selection import SelectionConfig
from tasks.settings import RunConfig


def test_no_prompt_is_answered_twice_in_the_rounds_of_a_pass() -> None:
    rounds = [prompts_of_round(10, 3, t, seed=5) for t in range(7)]
    for first in (0, 3):
        numbers = np.concatenate(rounds[first : first + 3])
        assert len(set(numbers.tolist())) == 9
    assert [one.tolist() for one in rounds[:3]] != [one.tolist() for one in rounds[3:6]]
    assert all((np.diff(one) > 0).all() for one in rounds)
    again = prompts_of_round(10, 3, 4, seed=5)
    np.testing.assert_array_equal(again, rounds[4])


def test_all_prompts_in_one_round_are_all_there_are() -> None:
    np.testing.assert_array_equal(prompts_of_round(4, 4, 9, seed=0), np.arange(4))


def test_more_prompts_a_round_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError, match="per_round: expected at most the 4 prompts .* got 5"):
        prompts_of_round(4, 5, 0, seed=0)


def test_groups_and_prompts_go_together() -> None:
    prompts = PromptsConfig(per_round=4, num_completions=3)
    grouped = SelectionConfig(scheme="grouped", num_curated=4)
    check_prompts(prompts, grouped, 12)
    check_prompts(None, SelectionConfig(), 12)
    with pytest.raises(ValueError, match="without prompts, got 'grouped'; groups are the compl"):
        check_prompts(None, grouped, 12)
    with pytest.raises(ValueError, match="expected 'grouped' with prompts, got 'all'; the compl"):
        check_prompts(prompts, SelectionConfig(), 12)
    text = "num_completions = 12 and prompts.per_round = 4, got 13 and 4; change them together"
    with pytest.raises(ValueError, match=text):
        check_prompts(prompts, grouped, 13)


def test_a_generator_that_answers_no_prompts_gets_none() -> None:
    changes: dict[str, Any] = {
        "prompts": {"per_round": 4, "num_completions": 3},
        "num_candidates": 12,
        "selection": {"scheme": "grouped", "num_curated": 4},
    }
    with pytest.raises(ValidationError, match="prompts: expected none for generator 'mixture'"):
        RunConfig.model_validate(smoke().model_dump(mode="json") | changes)


def test_real_rows_which_answer_no_prompt_are_refused_beside_them() -> None:
    changes = {"training": {"real_share": 0.5}}
    with pytest.raises(ValidationError, match="real_share: expected 0 with prompts, which .*0.5"):
        RunConfig.model_validate(qwen.offline().model_dump(mode="json") | changes)


def test_prompts_to_evaluate_on_are_none_of_those_answered() -> None:
    source = PromptsConfig().source
    assert not set(load_prompts(source, "train")) & set(load_prompts(source, "held-out"))
