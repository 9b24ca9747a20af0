import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor

from data.errors import ConfigError, EnvironmentProblem
from data.published_weights import PublishedWeights
from data.sharded_weights import INDEX
from data.texts import prompts_of, texts_of
from rewards.armo_rm import (
    ATTRIBUTES,
    MODEL,
    PATTERN,
    SETTINGS_FILES,
    ArmoRmConfig,
    ArmoRmReward,
    gate_place,
)
from rewards.text_examples import random_conversations
from rewards.tiny_models import stand_in_folder, stand_in_weights
from rewards.tiny_text_models import LLAMA_SIZES, write_shards
from tests.rewards.plain_llama import llama_states
from tests.rewards.plain_networks import linear

SAMPLES = random_conversations(7, seed=3)
SHARDS = tuple(f"model-{number:05}-of-00002.safetensors" for number in (1, 2))
START, HEADER, END, TURN, LINES = 128000, 128006, 128007, 128009, 271


def changed(**values: object) -> ArmoRmReward:
    return ArmoRmReward(ArmoRmReward.example().config.model_copy(update=values))


def tiny_state() -> dict[str, Tensor]:
    folder = stand_in_folder("armo-rm")
    return {name: one for shard in SHARDS for name, one in load_file(folder / shard).items()}


def ids_of(prompt: str, text: str) -> list[int]:
    """Llama 3's conversation: a single byte is a token, found in the tokenizer's own table."""
    folder = stand_in_folder("armo-rm")
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    from tokenizers.pre_tokenizers import ByteLevel

    def bytes_of(content: str) -> list[int]:
        level = ByteLevel(add_prefix_space=False, use_regex=False)
        return [words[byte] for piece, _ in level.pre_tokenize_str(content) for byte in piece]

    def turn(role: str, content: str) -> list[int]:
        return [HEADER, words[role], END, LINES, *bytes_of(content.strip()), TURN]

    return [START, *turn("user", prompt), *turn("assistant", text)]


def plain_scores() -> tuple[list[float], list[list[float]]]:
    """The score of every sample by the published formula, and what its 19 heads say."""
    state = tiny_state()
    scores, heads = [], []
    for prompt, text in zip(prompts_of(SAMPLES, "t"), texts_of(SAMPLES, "t"), strict=True):
        ids = ids_of(prompt, text)
        states = llama_states(state, ids, num_heads=LLAMA_SIZES["num_attention_heads"])
        judged = linear(state, "regression_layer", states[-1])
        # The end of the prompt: the first <|eot_id|>.
        gate = states[ids.index(TURN)]
        for place in range(3):
            gate = linear(state, f"gating.layers.{place}", gate).relu()
        gate = (linear(state, "gating.layers.3", gate) / 10).softmax(dim=0)
        gate = gate * state["gating.logit_scale"].double()
        scores.append(float(gate @ (judged @ state["reward_transform_matrix"].double())))
        heads.append(judged.tolist())
    return scores, heads


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_score_is_the_gated_sum_of_transformed_judgements(batch_size: int) -> None:
    wanted, heads = plain_scores()
    scores = changed(batch_size=batch_size)(SAMPLES)
    np.testing.assert_allclose(scores, wanted, rtol=1e-5, atol=1e-6)
    assert scores.std() > 0.01
    place = ATTRIBUTES.index("beavertails-is_safe")
    safe = changed(batch_size=batch_size, attribute="beavertails-is_safe")(SAMPLES)
    np.testing.assert_allclose(safe, [one[place] for one in heads], rtol=1e-5, atol=1e-6)


def test_single_precision_and_bfloat16_agree_with_double_as_far_as_they_carry() -> None:
    scores = ArmoRmReward.example()(SAMPLES)
    np.testing.assert_allclose(changed(precision="fp32")(SAMPLES), scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(changed(precision="bf16")(SAMPLES), scores, rtol=0.1, atol=0.2)


def test_gamma_multiplies_the_score() -> None:
    scores = ArmoRmReward.example()(SAMPLES)
    np.testing.assert_allclose(changed(gamma=2.5)(SAMPLES), 2.5 * scores, rtol=1e-12)


def test_the_gate_depends_on_the_prompt_alone() -> None:
    samples = random_conversations(12, seed=6)
    same = samples.set_column(0, "prompt", pa.array(["one prompt"] * 12))
    gated, single = changed(), [changed(attribute=one) for one in ATTRIBUTES[:8]]
    residuals = []
    for table in (same, samples):
        heads = np.stack([head(table) for head in single], axis=1)
        scores = gated(table)
        # Eight heads fix a state of eight numbers; behind one gate the score is linear in it.
        fitted = heads @ np.linalg.lstsq(heads, scores, rcond=None)[0]
        residuals.append(np.abs(fitted - scores).max())
    assert residuals[0] < 1e-6 < 1e-3 < residuals[1]


def test_the_gate_is_read_at_the_start_of_the_last_pattern() -> None:
    ids = [1, *PATTERN, 2, *PATTERN, 3, 4]
    assert gate_place(ids) == 7
    assert gate_place(ids[:9]) == 1
    with pytest.raises(AssertionError, match="without the start of its answer"):
        gate_place([1, 2, 3])


def test_there_are_nineteen_attributes_and_no_other_is_taken() -> None:
    assert len(set(ATTRIBUTES)) == 19
    with pytest.raises(ValidationError, match="attribute"):
        ArmoRmConfig(attribute="helpfulness")


def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(stand_in_folder("armo-rm"), folder)
    return folder


def from_folder(folder: Path) -> ArmoRmReward:
    names = (INDEX, *SHARDS, *SETTINGS_FILES)
    return changed(model=stand_in_weights(MODEL, folder, names))


def test_a_folder_with_the_published_layout_is_read_and_checked(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    reward = from_folder(folder)
    assert reward.fetch() == folder
    np.testing.assert_array_equal(reward(SAMPLES), ArmoRmReward.example()(SAMPLES))
    assert not reward.config.uses_published_weights


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regression_layer.weight": None}, "got no regression_layer.weight; fetch"),
        ({"regression_layer.weight": torch.zeros(18, 8)}, r"shape \(18, 8\)"),
        ({"reward_transform_matrix": torch.zeros(19, 18)}, r"shape \(19, 18\)"),
        ({"gating.layers.3.weight": None}, "expected 19 heads with as many gates, got"),
        ({"model.norm.weight": None}, r"expected the weights of the Llama .*got no norm.weight"),
    ],
)
def test_other_weights_are_refused(
    tmp_path: Path, change: dict[str, Tensor | None], message: str
) -> None:
    folder = copied(tmp_path)
    state = tiny_state() | change
    write_shards(folder, {name: one for name, one in state.items() if one is not None})
    with pytest.raises(EnvironmentProblem, match=message):
        from_folder(folder)(SAMPLES)


def test_a_tokenizer_that_does_not_write_the_pattern_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings["chat_template"] = "{{ messages[0]['content'] }}"
    path.write_text(json.dumps(settings))
    with pytest.raises(EnvironmentProblem, match=r"\[128009, 128006, 78191, 128007, 271\] between"):
        from_folder(folder)(SAMPLES)


def test_texts_without_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward armo-rm: expected samples with a column 'prompt"):
        ArmoRmReward.example()(SAMPLES.drop_columns(["prompt"]))


def test_only_the_published_weights_count_as_published() -> None:
    assert ArmoRmConfig().uses_published_weights
    other = PublishedWeights(repo=MODEL.repo, revision="0" * 40)
    assert not ArmoRmConfig(model=other).uses_published_weights
    assert not ArmoRmConfig(model=MODEL.stand_in).uses_published_weights
