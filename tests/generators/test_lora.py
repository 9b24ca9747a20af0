"""Adapters: what they leave alone, what becomes of them; run where peft is installed."""

import sys
from typing import Any

import pytest
import torch

from data import installation
from data.errors import ConfigError, EnvironmentProblem
from data.numerics import NOT_INSTALLED
from generators.causal_lm_config import FineTuning, Lora
from generators.lm_training import fine_tune, weights_of
from generators.lora import adapted, check_peft, merged
from tests.generators.tiny_lms import FP32, random_rows, tiny_gpt2, tiny_qwen2

TARGETS = {tiny_gpt2: ("c_attn",), tiny_qwen2: ("q_proj", "v_proj")}
MODELS = pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])


@pytest.fixture
def peft() -> Any:
    return pytest.importorskip("peft", reason="peft, of the extra lora, is not installed")


def test_without_peft_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installation, "library_version", lambda _name: NOT_INSTALLED)
    monkeypatch.setitem(sys.modules, "peft", None)
    text = r"refit.lora: expected peft to be installed, .*; run `pip install .*\[lora\]'`"
    with pytest.raises(EnvironmentProblem, match=text):
        check_peft()
    with pytest.raises(EnvironmentProblem, match=text):
        fine_tune(tiny_gpt2(), random_rows([4]), FineTuning(lora=Lora()), precision=FP32, seed=0)


@MODELS
def test_fresh_adapters_change_nothing(peft: Any, make: Any) -> None:
    model = make().eval()
    ids = torch.arange(8)[None]
    with torch.no_grad():
        before = model(input_ids=ids).logits
        network = adapted(model, Lora(rank=2, targets=TARGETS[make]))
        trainable = [name for name, one in network.named_parameters() if one.requires_grad]
        assert trainable and all("lora_" in name for name in trainable)
        assert torch.equal(network(input_ids=ids).logits, before)
        torch.testing.assert_close(merged(network)(input_ids=ids).logits, before)


@MODELS
def test_only_adapted_matrices_are_trained_and_the_model_is_a_plain_one_after_it(
    peft: Any, make: Any
) -> None:
    model = make()
    before = {name: weight.clone() for name, weight in weights_of(model).items()}
    tuning = FineTuning(
        learning_rate=1e-2, lora=Lora(rank=2, targets=TARGETS[make]), gradient_checkpointing=True
    )
    fit = fine_tune(model, random_rows([9] * 16), tuning, precision=FP32, seed=0)
    assert fit.weights.keys() == before.keys()
    for name, weight in fit.weights.items():
        chosen = name.endswith(".weight") and any(part in name for part in TARGETS[make])
        assert torch.equal(weight, before[name]) is not chosen, name
    again = fine_tune(make(), random_rows([9] * 16), tuning, precision=FP32, seed=0)
    assert all(torch.equal(again.weights[name], weight) for name, weight in fit.weights.items())


def test_layers_that_are_not_there_are_named(peft: Any) -> None:
    with pytest.raises(ConfigError, match=r"adapters can be put on, got \('nowhere',\) for GPT2LM"):
        adapted(tiny_gpt2(), Lora(targets=("nowhere",)))
