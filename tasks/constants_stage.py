"""Stage `constants`: of p_0, mean and deviation of rewards, and what its tail is.

Learned rewards have scales of their own; standardised, a draw under one weighs as much as a
draw under another (ours: the paper does not say how its rewards were scaled).
"""

from functools import partial

import pyarrow as pa

from data.commit import Attempt
from data.errors import BadNumbers
from data.schemas import CONSTANTS
from data.seeds import stage_seed
from data.texts import TEXT, token_ids_of
from tasks.context import CONSTANTS_FILE, RunContext
from tasks.image_evaluation import TAIL_FOLDER
from tasks.places import Place
from tasks.prompt_groups import evaluation_prompts
from tasks.scoring import raw_scores
from tasks.stage import StageFacts
from tasks.tail_region import fit_tail_region, write_tail_region
from tasks.token_tail import TOKEN_COUNTS, TOKENS_FILE, count_tokens

# Deviations to within 2 %, and a quantile of 5 % to within a tenth of it.
NUM_SAMPLES = 2_000


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write constants.parquet, one row a standardised reward, tail/ for images, tokens.parquet
    for texts.

    Raises `BadNumbers` for a reward that is the same for all samples.
    """
    config = context.config
    chosen = [i for i, reward in enumerate(config.rewards) if reward.standardise]
    names = [config.reward_names[i] for i in chosen]
    seed = stage_seed(config.initial.seed, "constants", 0)
    prompts = evaluation_prompts(config, NUM_SAMPLES)
    samples = context.model(0).sample(NUM_SAMPLES, seed=seed, prompts=prompts)
    rewards = [context.rewards[i] for i in chosen]
    scores = raw_scores(rewards, names, samples, config.runtime.batch_size)
    deviations = scores.std(axis=0)
    # The deviation of equal numbers may be a rounding error instead of 0, and so divide by it.
    differ = (scores != scores[0]).any(axis=0) & (deviations > 0)
    for name, differs in zip(names, differ, strict=True):
        if not differs:
            raise BadNumbers(
                f"reward {name!r}: expected scores of p_0 that differ, got {NUM_SAMPLES} equal "
                "ones; it cannot be standardised and prefers nothing"
            )
    if config.classifier is not None:
        region = fit_tail_region(context.classify(samples).features)
        attempt.write_folder(TAIL_FOLDER, partial(write_tail_region, region))
    if TEXT in samples.column_names:
        attempt.write_table(TOKENS_FILE, count_tokens(token_ids_of(samples)), TOKEN_COUNTS)
    columns = [pa.array(names, pa.string()), pa.array(scores.mean(axis=0)), pa.array(deviations)]
    table = pa.Table.from_arrays(columns, schema=CONSTANTS)
    attempt.write_table(CONSTANTS_FILE, table, CONSTANTS)
    return StageFacts(rows_in=NUM_SAMPLES, rows_out=len(names))
