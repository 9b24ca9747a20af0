"""What is said where memory lacks, and activations that are computed again."""

from typing import Any

import pytest
import torch

from data.errors import ConfigError, StageFailed
from generators.causal_lm_config import FineTuning
from generators.lm_memory import enough_memory, recomputed_activations
from tests.generators.tiny_lms import tiny_gpt2, tiny_qwen2

ADVICE = r"lower generator.refit.micro_batch_size, .* generator.refit.gradient_checkpointing=true"


@pytest.mark.parametrize(
    ("tuning", "at_once"),
    [
        (FineTuning(), 8),
        (FineTuning(micro_batch_size=2), 2),
        (FineTuning(batch_size=4, micro_batch_size=9), 4),
    ],
)
def test_memory_the_machine_does_not_have_names_what_to_lower(
    tuning: FineTuning, at_once: int
) -> None:
    text = rf"training with {at_once} texts at once to fit into the memory of cpu, .*{ADVICE}"
    with pytest.raises(StageFailed, match=text), enough_memory(tuning, "cpu"):
        torch.empty(2**50)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. x")])
def test_every_kind_of_lacking_memory_is_one(error: Exception) -> None:
    with pytest.raises(StageFailed, match=ADVICE), enough_memory(FineTuning(), "cuda"):
        raise error


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="^something else$"), enough_memory(FineTuning(), "cpu"):
        raise RuntimeError("something else")


def computed_again(model: Any) -> list[bool]:
    found = [
        layer.gradient_checkpointing
        for layer in model.modules()
        if hasattr(layer, "gradient_checkpointing")
    ]
    assert found
    return found


@pytest.mark.parametrize("make", [tiny_gpt2, tiny_qwen2])
@pytest.mark.parametrize("wanted", [True, False])
def test_activations_are_computed_again_only_inside(make: Any, wanted: bool) -> None:
    model = make()
    with recomputed_activations(model, wanted):
        assert any(computed_again(model)) is wanted
    assert not any(computed_again(model))


def test_an_architecture_that_cannot_compute_again_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_gpt2()
    monkeypatch.setattr(type(model), "supports_gradient_checkpointing", False)
    text = "an architecture with gradient checkpointing, got GPT2LMHeadModel .*; set refit.gradient"
    with pytest.raises(ConfigError, match=text), recomputed_activations(model, True):
        pass
