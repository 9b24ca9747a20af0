"""Stage `constants`: mean and deviation of rewards on samples of p_0.

Learned rewards have scales of their own; standardised, a draw under one weighs as much as a
draw under another (ours: the paper does not say how its rewards were scaled).
"""

import numpy as np
import pyarrow as pa

from data.commit import Attempt
from data.errors import BadNumbers
from data.schemas import CONSTANTS
from data.seeds import stage_seed
from tasks.context import CONSTANTS_FILE, RunContext
from tasks.places import Place
from tasks.scoring import raw_scores
from tasks.stage import StageFacts

# Deviations to within 2 %.
NUM_SAMPLES = 2_000


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write constants.parquet, one row a standardised reward; raises `BadNumbers` for constants."""
    config = context.config
    chosen = [i for i, reward in enumerate(config.rewards) if reward.standardise]
    names = [config.reward_names[i] for i in chosen]
    seed = stage_seed(config.initial.seed, "constants", 0)
    samples = context.model(0).sample(NUM_SAMPLES, seed=seed)
    rewards = [context.rewards[i] for i in chosen]
    scores = raw_scores(rewards, names, samples, config.runtime.batch_size)
    deviations = scores.std(axis=0)
    for name, deviation in zip(names, deviations, strict=True):
        if not deviation > 0:
            raise BadNumbers(
                f"reward {name!r}: expected scores of p_0 that differ, got {NUM_SAMPLES} equal "
                "ones; it cannot be standardised and prefers nothing"
            )
    columns = {"reward": names, "mean": scores.mean(axis=0), "deviation": np.array(deviations)}
    attempt.write_table(CONSTANTS_FILE, pa.table(columns), CONSTANTS)
    return StageFacts(rows_in=NUM_SAMPLES, rows_out=len(names))
