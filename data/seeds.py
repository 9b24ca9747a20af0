"""Seeds of every stage, derived from the run's one seed and the stage's place alone.

Nothing depends on a global generator, on the number of workers or on what ran before, so
a resumed stage draws the same numbers as an uninterrupted one.
"""

import numpy as np

# Numbers are part of every committed digest: never change or reuse one.
STAGE_NUMBERS = {
    "initial": 0,
    "sample": 1,
    "draw": 2,
    "select": 3,
    "retrain": 4,
    "evaluate": 5,
    "classifier": 6,
    "reference": 7,
    "constants": 8,
}


def stage_sequence(
    seed: int, stage: str, iteration: int, *, shard: int = 0, stream: int = 0
) -> np.random.SeedSequence:
    """Seed sequence of one stage, spawned from `seed` by (stage, iteration, shard, stream).

    `iteration` is t of the stage's folder, for `evaluate` the index k of the model p_k;
    `stream` separates independent uses of randomness inside one stage.
    Raises `KeyError` for a stage that is not in `STAGE_NUMBERS`.
    """
    return np.random.SeedSequence(seed, spawn_key=(STAGE_NUMBERS[stage], iteration, shard, stream))


def stage_rng(
    seed: int, stage: str, iteration: int, *, shard: int = 0, stream: int = 0
) -> np.random.Generator:
    """Generator (PCG64) of one stage; arguments as `stage_sequence`."""
    return np.random.default_rng(stage_sequence(seed, stage, iteration, shard=shard, stream=stream))


def stage_seed(seed: int, stage: str, iteration: int, *, shard: int = 0, stream: int = 0) -> int:
    """One integer seed in [0, 2**63) of one stage, for libraries that take an int."""
    words = stage_sequence(seed, stage, iteration, shard=shard, stream=stream).generate_state(
        1, np.uint64
    )
    return int(words[0]) >> 1
