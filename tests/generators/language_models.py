"""Very small causal language models that the tests of generator `causal-lm` share."""

from typing import Any

import numpy as np
import pytest
import torch

from generators.causal_lm_config import ScratchModel
from generators.lm_model import model_with, random_weights, scratch_facts

# Large first weights, so that some tokens are much likelier than others.
SCRATCH = {
    "gpt2": ScratchModel(
        model_type="gpt2",
        settings={
            "n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 64, "initializer_range": 0.3,
        },
    ),
    "qwen2": ScratchModel(
        model_type="qwen2",
        settings={
            "num_hidden_layers": 2, "hidden_size": 16, "intermediate_size": 32,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
            "initializer_range": 0.3,
        },
    ),
}  # fmt: skip
ARCHITECTURES = pytest.mark.parametrize("model_type", list(SCRATCH))
END = 0


def tiny_facts(model_type: str, num_tokens: int = 40) -> dict[str, Any]:
    return scratch_facts(SCRATCH[model_type], num_tokens=num_tokens, end_of_text=END)


def tiny_model(
    model_type: str, *, num_tokens: int = 40, dtype: torch.dtype = torch.float32
) -> torch.nn.Module:
    facts = tiny_facts(model_type, num_tokens)
    return model_with(facts, random_weights(facts, seed=3), dtype=dtype, device="cpu")


def contexts_of_many_lengths(number: int, *, num_tokens: int = 40) -> list[list[int]]:
    rng = np.random.default_rng(5)
    return [rng.integers(1, num_tokens, size=1 + row % 7).tolist() for row in range(number)]
