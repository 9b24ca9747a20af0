"""Models from transformers' configuration and weights by name."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config

from data.errors import ConfigError
from generators.causal_lm_config import ScratchModel
from generators.lm_model import (
    check_scratch,
    check_tokenizer,
    check_weights,
    configuration_from,
    context_length,
    end_tokens,
    facts_of,
    model_with,
    random_weights,
    scratch_facts,
    shapes_of,
)
from tests.generators.language_models import ARCHITECTURES, SCRATCH, tiny_facts


def gpt2(**settings: float | str) -> ScratchModel:
    return ScratchModel(settings={"n_layer": 1, "n_head": 2, "n_embd": 16, **settings})


@ARCHITECTURES
def test_the_model_is_what_transformers_builds(model_type: str) -> None:
    facts = tiny_facts(model_type)
    model = model_with(facts, random_weights(facts, seed=0), dtype=torch.float32, device="cpu")
    architectures: Any = AutoModelForCausalLM
    reference = architectures.from_config(configuration_from(facts)).eval()
    reference.load_state_dict(model.state_dict(), strict=True)
    ids = torch.randint(40, (2, 12), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(model(ids).logits, reference(ids).logits, atol=0, rtol=0)
    assert not model.training


@ARCHITECTURES
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_the_model_in_another_precision_is_what_transformers_loads_in_it(
    model_type: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    facts = tiny_facts(model_type)
    weights = random_weights(facts, seed=0)
    kept: Any = model_with(facts, weights, dtype=torch.float32, device="cpu")
    kept.save_pretrained(tmp_path)
    architectures: Any = AutoModelForCausalLM
    reference = architectures.from_pretrained(tmp_path, dtype=dtype)
    model = model_with(facts, weights, dtype=dtype, device="cpu")
    assert {one.dtype for one in model.parameters()} == {dtype}
    # Frequencies of rotary positions stay in single precision, else late positions are lost.
    kinds = {name: one.dtype for name, one in model.named_buffers()}
    assert kinds == {name: one.dtype for name, one in reference.named_buffers()}
    ids = torch.randint(40, (2, 60), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(model(ids).logits, reference(ids).logits, atol=0, rtol=0)


@ARCHITECTURES
def test_first_weights_are_decided_by_the_seed_alone(model_type: str) -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, second, other = (random_weights(tiny_facts(model_type), seed=seed) for seed in (2, 2, 3))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), state)
    assert {name: tuple(one.shape) for name, one in first.items()} == shapes_of(
        tiny_facts(model_type)
    )


def test_tied_weights_are_named_once_and_stay_tied() -> None:
    facts = tiny_facts("gpt2")
    weights = random_weights(facts, seed=0)
    assert "lm_head.weight" not in weights
    model = model_with(facts, weights, dtype=torch.float64, device="cpu")
    named = dict(model.named_parameters(remove_duplicate=False))
    assert named["lm_head.weight"] is named["transformer.wte.weight"]


@ARCHITECTURES
def test_plain_values_survive_json_and_hold_nothing_of_this_machine(model_type: str) -> None:
    facts = tiny_facts(model_type)
    again = facts_of(configuration_from(json.loads(json.dumps(facts))))
    assert again == facts
    assert not {"_name_or_path", "transformers_version", "dtype"} & facts.keys()


def test_vocabulary_and_end_of_text_are_the_tokenizers() -> None:
    facts = scratch_facts(gpt2(), num_tokens=300, end_of_text=7)
    assert (facts["vocab_size"], facts["eos_token_id"], facts["pad_token_id"]) == (300, 7, None)
    assert end_tokens(facts) == {7}
    with pytest.raises(ConfigError, match="expected no 'vocab_size', which is the tokenizer's"):
        scratch_facts(gpt2(vocab_size=3), num_tokens=300, end_of_text=7)


def test_unknown_architectures_and_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="got 'gtp2'; use a name such as gpt2, qwen2, llama"):
        check_scratch(ScratchModel(model_type="gtp2"), 8)
    with pytest.raises(ConfigError, match="got 'n_layers'; check the spelling"):
        check_scratch(gpt2(n_layers=2), 8)


def test_settings_that_cannot_be_built_are_refused_before_anything_is() -> None:
    with pytest.raises(ConfigError, match="builds a gpt2 from, got: .*divisible by num_heads"):
        check_scratch(gpt2(n_head=3), 8)
    with pytest.raises(ConfigError, match="builds a gpt2 from, got: .*n_embd"):
        check_scratch(gpt2(n_embd="wide"), 8)


def test_texts_as_long_as_the_context_are_refused() -> None:
    check_scratch(gpt2(n_positions=64), 63)
    with pytest.raises(ConfigError, match="less than the model's context of 64 tokens, got 64"):
        check_scratch(gpt2(n_positions=64), 64)


def test_the_context_is_known_where_the_model_has_one() -> None:
    assert context_length(tiny_facts("gpt2")) == 64
    bloom = ScratchModel(model_type="bloom", settings={"n_layer": 1, "hidden_size": 16})
    assert context_length(scratch_facts(bloom, num_tokens=9, end_of_text=0)) is None


def test_a_tokenizer_of_another_model_is_refused() -> None:
    facts = facts_of(GPT2Config(vocab_size=50, eos_token_id=49))
    check_tokenizer(facts, num_tokens=50, end_of_text=49, model="owner/model")
    check_tokenizer(facts, num_tokens=48, end_of_text=49, model="owner/model")
    for num_tokens, end in ((51, 49), (50, 3)):
        with pytest.raises(
            ConfigError,
            match=rf"at most 50 tokens and end of text 49 for owner/model, got one of {num_tokens} "
            rf"tokens and end of text {end}; use the tokenizer published with the model",
        ):
            check_tokenizer(facts, num_tokens=num_tokens, end_of_text=end, model="owner/model")


def test_several_ends_of_text_are_all_known() -> None:
    facts = facts_of(GPT2Config(vocab_size=50, eos_token_id=[48, 49]))
    assert end_tokens(facts) == {48, 49}
    check_tokenizer(facts, num_tokens=50, end_of_text=48, model="owner/model")
    assert end_tokens(facts_of(GPT2Config(eos_token_id=None))) == set()


def test_weights_of_another_architecture_are_refused() -> None:
    weights = random_weights(tiny_facts("gpt2"), seed=0)
    check_weights(tiny_facts("gpt2"), weights, "here")
    with pytest.raises(ConfigError, match=r"here: expected the weights .* got others \(missing"):
        check_weights(tiny_facts("qwen2"), weights, "here")
    assert set(SCRATCH) == {"gpt2", "qwen2"}
