"""Very small random language models and rows of random tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from generators.lm_rows import TokenRow

VOCABULARY, CONTEXT = 31, 16
FP32, FP64 = {"dtype": "float32"}, {"dtype": "float64"}


def tiny_gpt2(*, dropout: float = 0.0, seed: int = 0) -> Any:
    """Two layers, 16 wide; its head is its embedding."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=CONTEXT,
        n_embd=16,
        n_layer=2,
        n_head=2,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
        bos_token_id=0,
        eos_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT2LMHeadModel(config)


def tiny_qwen2(*, seed: int = 0) -> Any:
    """Two layers, 16 wide, two heads of keys for four of queries; its head is its own."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Qwen2ForCausalLM(config)


def random_rows(lengths: Sequence[int], *, num_context: int = 1, seed: int = 0) -> list[TokenRow]:
    """Rows of these lengths, of tokens drawn uniformly."""
    rng = np.random.default_rng(seed)
    return [
        TokenRow(rng.integers(VOCABULARY, size=length).astype(np.int32), num_context)
        for length in lengths
    ]


def naive_losses(model: Any, row: TokenRow) -> list[float]:
    """-log p of each target of `row`, which the model sees alone, in double precision."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor(row.ids, dtype=torch.int64)[None]).logits[0]
    log_probabilities = torch.log_softmax(logits.double(), dim=-1)
    return [
        -float(log_probabilities[place - 1, row.ids[place]])
        for place in range(row.first_target, len(row.ids))
    ]
