"""Stage `retrain`: the model p_{t+1}, refitted on the winners of iteration t.

The place before the first iteration makes p_0 instead.
"""

import pyarrow as pa

from data.checkpoints import CheckpointFolder
from data.commit import Attempt
from data.schemas import TRAINING
from data.seeds import stage_seed
from generators.registry import Generator, find_generator
from tasks.context import RunContext
from tasks.places import Place
from tasks.sample import CANDIDATES
from tasks.stage import StageFacts

MODEL = "model"


def curated_rows(
    candidates: pa.Table,  # N rows
    winners: pa.Table,  # M rows
) -> pa.Table:
    """Payload of each winner in draw order, M rows; a candidate that won twice stands twice."""
    payload = candidates.drop_columns(["candidate_id", "group"])
    return payload.take(winners["candidate_id"])


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write model/ and training.parquet of p_{t+1}."""
    assert place.iteration is not None
    t = place.iteration
    candidates = context.table(t, "sample", CANDIDATES)
    winners = context.table(t, "select", "winners.parquet")
    curated = curated_rows(candidates, winners)
    checkpoints = _checkpoints(context, place)
    model = context.model(t).refit(
        curated,
        iteration=t,
        seed=stage_seed(context.config.seed, "retrain", t),
        checkpoints=checkpoints,
    )
    return _write(model, attempt, rows_in=curated.num_rows)


def compute_initial(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write model/ and training.parquet of p_0 under its own seed `initial.seed`."""
    config = context.config
    kind = find_generator(config.generator.kind)
    model = kind.initial(
        config.generator,
        config.initial,
        seed=stage_seed(config.initial.seed, "initial", 0),
        checkpoints=_checkpoints(context, place),
    )
    return _write(model, attempt, rows_in=0)


def _checkpoints(context: RunContext, place: Place) -> CheckpointFolder:
    return CheckpointFolder(context.folder(place), fingerprint=context.fingerprints.of(place))


def _write(model: Generator, attempt: Attempt, *, rows_in: int) -> StageFacts:
    attempt.write_folder(MODEL, model.save)
    attempt.write_table("training.parquet", model.training_log, TRAINING)
    return StageFacts(rows_in=rows_in, rows_out=model.training_log.num_rows)
