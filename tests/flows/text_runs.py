"""Tiny runs of text: everything that the offline presets do, in seconds."""

from pathlib import Path
from typing import Any

from data.store import Store
from flows import gpt2, qwen
from flows.creation import create_runs
from flows.domain import Preset, arm_configs, find_domain, merge
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.settings import RunConfig, parse_config

Plain = dict[str, Any]

# Two shards a table, a checkpoint within every fit. Nothing that presets may be tuned in is left
# to them.
COMMON: Plain = {
    "iterations": 2,
    "generator": {
        "refit": {"num_epochs": 1, "learning_rate": 1e-3, "batch_size": 4, "checkpoint_every": 2},
        "generation": {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 12, "batch_size": 8},
    },
    "initial": {
        "num_texts": 60,
        "cut": {"min_words": 1, "max_words": 10},
        "tokenizer": {"vocab_size": 300},
        "pretraining": {
            "num_epochs": 1, "learning_rate": 2e-3, "schedule": "constant", "warm_up": 0,
            "batch_size": 16, "checkpoint_every": 2,
        },
    },
    "evaluation": {"num_samples": 12},
    "runtime": {"batch_size": 16, "shard_rows": 8},
}  # fmt: skip
GPT2: Plain = merge(
    COMMON,
    {
        "num_candidates": 16,
        "generator": {
            "model": {"settings": {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 64}}
        },
        "selection": {"num_curated": 10},
        "pool": {"num_seeds": 20, "num_survivors": 6},
    },
)
QWEN: Plain = merge(
    COMMON,
    {
        "num_candidates": 12,
        # Four steps for the four answers of a round.
        "generator": {
            "refit": {"batch_size": 1},
            "model": {
                "settings": {
                    "num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 32,
                    "num_attention_heads": 2, "num_key_value_heads": 1,
                    "max_position_embeddings": 256, "tie_word_embeddings": True,
                }
            },
        },
        "prompts": {"per_round": 4, "num_completions": 3},
        "selection": {"num_curated": 4},
        # A dozen tokens of so small a model never take up a word of the prompt, and scores that
        # are all equal cannot be standardised.
        "rewards": [
            {"kind": "brevity", "name": "brevity", "standardise": True, "weight": 0.5},
            {"kind": "word-coverage", "name": "coverage", "weight": 0.5},
        ],
    },
)  # fmt: skip


def tiny_gpt2() -> RunConfig:
    """The offline preset of gpt2 at the size of `GPT2`."""
    return parse_config(merge(gpt2.offline().model_dump(mode="json"), GPT2))


def tiny_qwen() -> RunConfig:
    """The offline preset of qwen at the size of `QWEN`."""
    return parse_config(merge(qwen.offline().model_dump(mode="json"), QWEN))


def create(root: Path, name: str, changes: Plain | None = None) -> RunContext:
    """The run `name`, "gpt2" or "qwen" in it, of the store at `root`."""
    store = Store(root)
    domain = find_domain("gpt2" if "gpt2" in name else "qwen")
    base = tiny_gpt2 if domain.name == "gpt2" else tiny_qwen
    configs = arm_configs(domain, Preset(base=base, meaning="tiny"), changes or {})
    (record,) = create_runs(store, domain, configs, name=name)
    return RunContext(store, record)


def run(root: Path, name: str, changes: Plain | None = None) -> RunContext:
    """As `create`, and run or resume it."""
    context = create(root, name, changes)
    rounds(context)
    return RunContext(context.store, context.record)
