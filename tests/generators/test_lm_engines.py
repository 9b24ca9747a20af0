"""Engines beside each other: ours, transformers' generate, vLLM where it is not installed."""

from importlib.util import find_spec
from typing import Any

import pytest
import torch

from data.errors import BadNumbers, EnvironmentProblem, StageFailed
from generators.causal_lm_config import Generation
from generators.lm_engines import draw_with_transformers, draw_with_vllm, find_engine
from generators.lm_generation import Completions, draw_texts
from tests.generators.language_models import (
    ARCHITECTURES,
    END,
    contexts_of_many_lengths,
    tiny_model,
)


def drawn(engine: Any, model: torch.nn.Module, *, seed: int = 0, **settings: Any) -> Completions:
    generation = Generation.model_validate({"max_new_tokens": 10, **settings})
    contexts = contexts_of_many_lengths(24)
    with torch.inference_mode():
        texts: Completions = engine(model, contexts, generation, end_of_text={END}, seed=seed)
    return texts


def as_lists(texts: Completions) -> list[list[int]]:
    return [ids.tolist() for ids in texts.token_ids]


@ARCHITECTURES
def test_where_nothing_is_left_to_chance_both_engines_give_equal_texts(model_type: str) -> None:
    model = tiny_model(model_type, dtype=torch.float64)
    sure: dict[str, Any] = {"top_p": 1e-9, "batch_size": 7}
    ours = drawn(draw_texts, model, **sure)
    theirs = drawn(draw_with_transformers, model, **sure)
    assert as_lists(ours) == as_lists(theirs)
    assert ours.finished.tolist() == theirs.finished.tolist()


def test_texts_of_transformers_are_decided_by_the_seed() -> None:
    model = tiny_model("gpt2")
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, second, other = (drawn(draw_with_transformers, model, seed=seed) for seed in (5, 5, 6))
    assert as_lists(first) == as_lists(second) != as_lists(other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("engine", [draw_texts, draw_with_transformers])
@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_model_that_has_diverged_is_bad_numbers(engine: Any, weight: float) -> None:
    model: Any = tiny_model("gpt2")
    with torch.no_grad():
        model.transformer.ln_f.weight[0] = weight
    with pytest.raises(BadNumbers, match="expected finite logits, got others; the model has div"):
        drawn(engine, model)


def test_a_lack_of_memory_of_transformers_names_the_batch_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def generate(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0")

    model: Any = tiny_model("gpt2")
    monkeypatch.setattr(model, "generate", generate)
    with pytest.raises(StageFailed, match=r"\(CUDA out of memory\).*generation\.batch_size"):
        drawn(draw_with_transformers, model)


def test_the_configured_engine_is_found() -> None:
    assert find_engine(Generation()) is draw_texts
    assert find_engine(Generation(engine="transformers")) is draw_with_transformers


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed here")
def test_vllm_says_how_it_is_installed() -> None:
    with pytest.raises(EnvironmentProblem, match="run `pip install vllm` where there is a GPU"):
        find_engine(Generation(engine="vllm"))
    with pytest.raises(EnvironmentProblem, match="expected vllm to be importable"):
        drawn(draw_with_vllm, tiny_model("gpt2"))
