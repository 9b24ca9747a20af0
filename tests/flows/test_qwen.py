"""Runs of a model that answers prompts: presets, short keys, groups, a whole tiny run."""

from typing import Any

import pytest

from data.errors import ConfigError
from data.prompts import load_prompts
from flows.domain import Preset, arm_configs, merge
from flows.qwen import DOMAIN, expand, offline, paper
from tasks.context import RunContext
from tasks.places import Place, evaluation_place
from tasks.sample import CANDIDATES
from tasks.settings import RunConfig, parse_config


def expanded(changes: dict[str, Any]) -> RunConfig:
    return parse_config(expand(merge(offline().model_dump(mode="json"), changes)))


def test_the_paper_preset_is_the_papers() -> None:
    config = paper()
    assert config.prompts is not None
    assert (config.iterations, config.prompts.per_round, config.prompts.num_completions) == (
        30, 512, 8,
    )  # fmt: skip
    generator: Any = config.generator
    assert generator.model.weights.repo == "Qwen/Qwen2.5-1.5B"
    assert (generator.refit.num_epochs, generator.refit.learning_rate) == (1, 1e-5)
    assert [one.kind for one in config.rewards] == ["armo-rm", "llama-guard"]
    assert all(one.standardise for one in config.rewards)


def test_every_preset_is_a_configuration_that_comes_back_from_plain_values() -> None:
    for preset in DOMAIN.presets.values():
        base = preset.base()
        assert parse_config(base.model_dump(mode="json")) == base


def test_short_keys_set_candidates_and_draws() -> None:
    config = expanded({"prompts_per_round": 5, "num_completions": 3})
    assert (config.num_candidates, config.selection.num_curated) == (15, 5)
    assert expanded({"prompts_per_round": 5}).num_candidates == 40


@pytest.mark.parametrize("value", [0, 2.5, True, "many"])
def test_a_number_of_prompts_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="prompts_per_round: expected a whole number of at least"):
        expanded({"prompts_per_round": value})


@pytest.mark.parametrize(
    "wrong",
    [{"prompts": 3}, {"selection": 3}, {"prompts": {"num_completions": "many"}}],
    ids=["prompts", "selection", "completions"],
)
def test_what_is_no_setting_is_refused_beside_the_short_keys_too(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"(prompts|selection)(\.num_completions)?: .* got "):
        expanded({"prompts_per_round": 5, **wrong})


def test_more_rewards_than_the_arms_of_a_preset_weigh_are_refused_and_go_without_one() -> None:
    three = [{"kind": "brevity"}, {"kind": "word-coverage"}, {"kind": "length", "target": 5}]
    with pytest.raises(ConfigError, match="two that arm 'balanced' .* weighs, got 3; .* no arms"):
        arm_configs(DOMAIN, DOMAIN.presets["offline"], {"rewards": three})
    alone = Preset(base=offline, meaning="without arms")
    (config,) = arm_configs(DOMAIN, alone, {"rewards": three}).values()
    assert len(config.rewards) == 3


def test_the_completions_of_a_prompt_are_a_group_with_one_winner(qwen_run: RunContext) -> None:
    config = qwen_run.config
    assert config.prompts is not None
    known = load_prompts(config.prompts.source, "train")
    seen: set[int] = set()
    for t in range(2):
        candidates = qwen_run.open_place(Place(t, "sample")).table(CANDIDATES)
        groups = candidates["group"].to_pylist()
        assert [groups[i : i + 3] for i in range(0, 12, 3)] == [
            [one] * 3 for one in sorted(set(groups))
        ]
        assert candidates["prompt"].to_pylist() == [known[number] for number in groups]
        winners = qwen_run.open_place(Place(t, "select")).table("winners.parquet")
        won = [groups[row] for row in winners["candidate_id"].to_pylist()]
        assert won == sorted(set(groups))
        assert not seen & set(groups), "no prompt twice before all were answered"
        seen |= set(groups)


def test_models_are_evaluated_on_prompts_that_are_never_answered_in_training(
    qwen_run: RunContext,
) -> None:
    config = qwen_run.config
    assert config.prompts is not None
    held_out = load_prompts(config.prompts.source, "held-out")
    samples = qwen_run.open_place(evaluation_place(2)).table("samples.parquet")
    assert samples["prompt"].to_pylist() == [held_out[row % len(held_out)] for row in range(12)]
