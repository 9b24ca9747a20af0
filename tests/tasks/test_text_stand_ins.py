"""What stands in for the paper's texts, models and rewards, in words."""

import pytest

from flows import gpt2, qwen
from flows.gmm import smoke
from tasks.settings import RunConfig, parse_config
from tasks.stand_ins import stand_ins


def words_of(config: RunConfig) -> str:
    return "; ".join(stand_ins(config))


def test_the_papers_own_settings_have_no_stand_in() -> None:
    assert stand_ins(gpt2.paper()) == stand_ins(gpt2.gpu_small()) == stand_ins(qwen.paper()) == ()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (gpt2.cpu_mini(), ["another gpt2 in place of the GPT-2", "2000 trained pieces"]),
        (gpt2.offline(), ["Python's documentation in place of WikiText-2", "1000 trained pieces"]),
        (qwen.gpu_small(), ["Qwen/Qwen2.5-0.5B as configured in place of"]),
        (
            qwen.offline(),
            [
                "a qwen2 trained from scratch in place of Qwen2.5-1.5B",
                "in place of UltraFeedback's prompts",
                "brevity, word-coverage of the words in place of learned rewards",
            ],
        ),
    ],
)
def test_every_smaller_preset_says_what_it_uses_instead(
    config: RunConfig, expected: list[str]
) -> None:
    found = words_of(config)
    assert all(text in found for text in expected), found


def test_stand_in_rewards_are_named() -> None:
    from flows.e11 import EXPERIMENT

    found = words_of(EXPERIMENT.presets["rehearsal"](True).base)
    assert "other weights in place of the published ones of armo-rm, llama-guard" in found


def test_a_stand_in_reward_is_named_though_all_else_is_the_papers() -> None:
    paper = qwen.paper()
    plain = [one.model_dump(mode="json") for one in paper.rewards]
    for one in plain:
        one["model"]["host"] = "stand-in"
    rehearsed = parse_config(paper.model_dump(mode="json") | {"rewards": plain})
    found = stand_ins(rehearsed)
    assert found == ("other weights in place of the published ones of armo-rm, llama-guard",)


def test_computed_rewards_are_named_in_a_sum_too() -> None:
    offline = qwen.offline().model_dump(mode="json")
    parts = [one | {"standardise": False} for one in offline["rewards"]]
    summed = parse_config(offline | {"rewards": [{"kind": "weighted-sum", "parts": parts}]})
    assert "brevity, word-coverage of the words in place of learned rewards" in stand_ins(summed)


def test_runs_of_points_have_none() -> None:
    assert stand_ins(smoke()) == ()
