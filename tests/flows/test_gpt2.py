"""Runs of GPT-2: presets, the short key, and what a whole tiny run leaves behind."""

import math
from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError
from data.texts import token_ids_of
from flows.domain import merge
from flows.gpt2 import DOMAIN, cpu_mini, expand, max_new_tokens, offline, paper
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tasks.places import Place, evaluation_place
from tasks.settings import RunConfig, parse_config
from tasks.stage import run_place
from tests.flows.text_runs import create

MEASURED = (
    "word_length_entropy",
    "mean_words",
    "distinct_2",
    "share_truncated",
    "share_empty",
    "tail_coverage",
    "held_out_perplexity",
    "reward_mean.short",
    "reward_var.long",
    "basin_mass.short",
    "leakage.short.outside",
)


def expanded(changes: dict[str, Any]) -> RunConfig:
    return parse_config(expand(merge(offline().model_dump(mode="json"), changes)))


def test_the_paper_preset_is_the_papers() -> None:
    config = paper()
    assert config.pool is not None
    assert (config.pool.num_seeds, config.pool.num_survivors) == (1000, 100)
    assert (config.iterations, config.num_candidates, config.selection.num_curated) == (
        20,
        200,
        200,
    )
    assert config.selection.temperature == 0.5
    generator: Any = config.generator
    assert generator.model.settings == {
        "n_layer": 6, "n_head": 6, "n_embd": 384, "n_positions": 1024,
    }  # fmt: skip
    assert (generator.refit.num_epochs, generator.refit.learning_rate) == (2, 5e-5)
    assert (generator.generation.temperature, generator.generation.top_p) == (0.8, 0.95)


def test_every_preset_is_a_configuration_that_comes_back_from_plain_values() -> None:
    for preset in DOMAIN.presets.values():
        base = preset.base()
        assert parse_config(base.model_dump(mode="json")) == base


def test_distance_sets_both_targets_and_the_tokens_they_need() -> None:
    config = expanded({"distance": 40, "q": 0.25})
    assert [one.target for one in config.rewards] == [10, 50]  # type: ignore[attr-defined]
    assert config.weights == [0.25, 0.75]
    generator: Any = config.generator
    assert generator.generation.max_new_tokens == max_new_tokens(40) == 2 * (50 + 14)
    assert generator.generation.temperature == 0.8, "the rest stays"


def test_distance_keeps_all_of_the_rewards_but_their_targets() -> None:
    rewards = [one.model_dump(mode="json") | {"gamma": 3.0} for one in offline().rewards]
    changed = expanded({"distance": 40, "rewards": rewards}).rewards
    assert [one.gamma for one in changed] == [3.0, 3.0]  # type: ignore[attr-defined]
    assert [one.name for one in changed] == ["short", "long"]


@pytest.mark.parametrize("distance", [-1, "far", True, 5.5, math.inf, math.nan, [3]])
def test_a_distance_that_is_none_is_refused(distance: Any) -> None:
    with pytest.raises(ConfigError, match="distance: expected a whole number of words of at least"):
        expanded({"distance": distance})


@pytest.mark.parametrize("rewards", ["x", [1, 2], [], [{"kind": "brevity"}] * 2])
def test_a_distance_of_other_rewards_is_refused(rewards: Any) -> None:
    with pytest.raises(ConfigError, match="distance: expected exactly 2 rewards of kind length"):
        expanded({"distance": 5, "rewards": rewards})


@pytest.mark.parametrize("generator", [3, {"generation": 3}])
def test_a_generator_that_is_none_is_refused_beside_a_distance_too(generator: Any) -> None:
    with pytest.raises(ConfigError, match=r"generator.*: .* got 3"):
        expanded({"distance": 5, "generator": generator})


def test_a_small_model_has_a_context_for_every_distance() -> None:
    for config in (cpu_mini(), offline()):
        generator: Any = config.generator
        assert generator.model.settings["n_positions"] > max_new_tokens(40)


def test_a_whole_run_measures_texts_and_keeps_what_they_were_made_of(gpt2_run: RunContext) -> None:
    for k in range(3):
        rows = gpt2_run.open_place(evaluation_place(k)).table("metrics.parquet").to_pylist()
        found = {row["metric"]: row["value"] for row in rows}
        wanted = [one for one in MEASURED if k or not one.startswith("leakage")]
        assert set(wanted) <= set(found)
        samples = gpt2_run.open_place(evaluation_place(k)).table("samples.parquet")
        assert samples.num_rows == 12
        assert max(map(len, token_ids_of(samples))) <= 12
    survivors = gpt2_run.open_place(Place(1, "select")).table("survivors.parquet")
    assert survivors.num_rows == 6


def test_a_finished_run_is_drawn_with_some_of_its_texts(
    gpt2_run: RunContext, tmp_path: Path
) -> None:
    from flows.run_figures import draw_run

    histories: dict[str, list[dict[str, float]]] = {gpt2_run.run: [{}, {}, {}]}
    paths = draw_run([gpt2_run], histories, tmp_path)
    assert {path.name for path in paths} == {"lengths.png", "lengths.svg", "samples.txt"}
    text = (tmp_path / "samples.txt").read_text()
    assert "k = 0" in text and "k = 2" in text


def test_two_runs_of_one_configuration_are_equal_and_so_is_one_in_pieces(
    gpt2_run: RunContext, tmp_path: Path
) -> None:
    pieces = create(tmp_path / "store", "gpt2")
    for place in list(pieces.places()):
        run_place(RunContext(pieces.store, pieces.record), place)

    def digests(context: RunContext) -> list[str]:
        return [digest for _, digest in stage_digests(context.store, context.record)]

    assert digests(pieces) == digests(gpt2_run)
