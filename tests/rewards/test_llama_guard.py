import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from data.errors import ConfigError, EnvironmentProblem
from data.texts import prompts_of, texts_of
from rewards.llama_guard import MODEL, MODEL_FILES, LlamaGuardConfig, LlamaGuardReward
from rewards.text_examples import random_conversations
from rewards.text_scoring import load_tokenizer
from rewards.tiny_models import stand_in_folder, stand_in_weights
from rewards.tiny_text_models import LLAMA_SIZES, LLAMA_WORDS
from tests.rewards.plain_llama import llama_states

SAMPLES = random_conversations(7, seed=4)


def changed(**values: object) -> LlamaGuardReward:
    return LlamaGuardReward(LlamaGuardReward.example().config.model_copy(update=values))


def question(prompt: str, text: str) -> str:
    """What the stand-in's template says, written out."""
    return (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nJudge.\n\n"
        f"User: {prompt}\n\nAgent: {text}\n\n"
        "Is it safe? <|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def plain_odds() -> list[float]:
    """l_safe - l_unsafe of every sample, from the state after the template and two line ends."""
    folder = stand_in_folder("llama-guard")
    state, tokenizer = load_file(folder / "model.safetensors"), load_tokenizer(folder)
    odds = []
    for prompt, text in zip(prompts_of(SAMPLES, "t"), texts_of(SAMPLES, "t"), strict=True):
        ids = tokenizer(question(prompt, text), add_special_tokens=False)["input_ids"]
        assert ids[0] == 128000 and ids[-2:] == [128007, 271]
        heads = LLAMA_SIZES["num_attention_heads"]
        last = llama_states(state, ids, num_heads=heads)[-1]
        logits = state["lm_head.weight"].double() @ last
        odds.append(float(logits[LLAMA_WORDS["safe"]] - logits[LLAMA_WORDS["unsafe"]]))
    return odds


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_score_is_the_log_odds_or_the_probability_of_safe(batch_size: int) -> None:
    odds = np.array(plain_odds())
    scores = changed(batch_size=batch_size)(SAMPLES)
    np.testing.assert_allclose(scores, odds, rtol=1e-5, atol=1e-6)
    assert scores.std() > 0.01
    probabilities = changed(batch_size=batch_size, score="probability")(SAMPLES)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-odds)), rtol=1e-5)


def test_single_precision_and_bfloat16_agree_with_double_as_far_as_they_carry() -> None:
    scores = LlamaGuardReward.example()(SAMPLES)
    np.testing.assert_allclose(changed(precision="fp32")(SAMPLES), scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(changed(precision="bf16")(SAMPLES), scores, rtol=0.1, atol=0.2)


def test_gamma_multiplies_the_score() -> None:
    scores = LlamaGuardReward.example()(SAMPLES)
    np.testing.assert_allclose(changed(gamma=2.5)(SAMPLES), 2.5 * scores, rtol=1e-12)


def other_settings(tmp_path: Path, change: Callable[[Path], None]) -> LlamaGuardReward:
    folder = tmp_path / "model"
    shutil.copytree(stand_in_folder("llama-guard"), folder)
    change(folder)
    return changed(model=stand_in_weights(MODEL, folder, MODEL_FILES))


def string_template(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings["chat_template"] = "{{ messages | length }}"
    path.write_text(json.dumps(settings))


def two_tokens(folder: Path) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    del content["model"]["vocab"]["unsafe"]
    path.write_text(json.dumps(content))


def test_a_template_that_leaves_the_text_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="expected a chat template that shows prompt and"):
        other_settings(tmp_path, string_template)(SAMPLES)


def test_a_tokenizer_without_a_token_for_a_verdict_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="expected a tokenizer with one token for each of"):
        other_settings(tmp_path, two_tokens)(SAMPLES)


def test_texts_without_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward llama-guard: expected .* column 'prompt'"):
        LlamaGuardReward.example()(SAMPLES.drop_columns(["prompt"]))


def test_only_the_published_weights_count_as_published() -> None:
    assert LlamaGuardConfig().uses_published_weights
    assert not LlamaGuardConfig(model=MODEL.stand_in).uses_published_weights
