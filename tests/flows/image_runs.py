"""A tiny image run: everything that the digits preset does, in about two seconds."""

from pathlib import Path
from typing import Any

from data.store import Store
from flows.cifar10 import digits
from flows.creation import create_runs
from flows.domain import Preset, arm_configs, find_domain, merge
from flows.rounds import rounds
from tasks.context import RunContext
from tasks.settings import RunConfig, parse_config

Plain = dict[str, Any]

# Three shards a table, checkpoints within the classifier and within every fit. Nothing that the
# preset may be tuned in is left to it, or golden values would move with it.
TINY: Plain = {
    "iterations": 2,
    "num_candidates": 40,
    "generator": {
        "field": {"width": 16, "num_hidden": 1, "time_features": 4},
        "refit": {
            "num_steps": 4, "batch_size": 8, "learning_rate": 2e-4, "checkpoint_every": 2,
        },
        "sampler": {"method": "euler", "num_steps": 2},
    },
    "initial": {
        "pretraining": {
            "num_steps": 3, "batch_size": 16, "learning_rate": 1e-3, "warm_up": 0,
            "average_decay": 0.999, "checkpoint_every": 2,
        }
    },
    "selection": {"num_curated": 10},
    "classifier": {"num_epochs": 2, "batch_size": 512, "checkpoint_every": 1},
    "evaluation": {"num_samples": 60},
    "runtime": {"batch_size": 16, "shard_rows": 16},
}  # fmt: skip


def tiny() -> RunConfig:
    """The digits preset at the size of `TINY`."""
    return parse_config(merge(digits().model_dump(mode="json"), TINY))


def create(root: Path, name: str = "tiny", changes: Plain | None = None) -> RunContext:
    """The run `name` of the store at `root`, with `changes` to `tiny()`."""
    store, domain = Store(root), find_domain("cifar10")
    configs = arm_configs(domain, Preset(base=tiny, meaning="tiny"), changes or {})
    (record,) = create_runs(store, domain, configs, name=name)
    return RunContext(store, record)


def run(root: Path, name: str = "tiny", changes: Plain | None = None) -> RunContext:
    """As `create`, and run or resume it."""
    context = create(root, name, changes)
    rounds(context)
    return RunContext(context.store, context.record)
