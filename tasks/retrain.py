"""Stage `retrain`: the model p_{t+1}, refitted on the training set of iteration t.

The place before the first iteration makes p_0 instead.
"""

from data.checkpoints import CheckpointFolder
from data.commit import Attempt
from data.seeds import stage_seed
from generators.registry import Generator, find_generator
from tasks.context import RunContext
from tasks.places import Place
from tasks.stage import StageFacts
from tasks.training_set import training_set

MODEL = "model"


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write model/ and training.parquet of p_{t+1}."""
    assert place.iteration is not None
    t = place.iteration
    rows = training_set(context, t)
    checkpoints = _checkpoints(context, place)
    model = context.model(t).refit(
        rows,
        iteration=t,
        seed=stage_seed(context.config.seed, "retrain", t),
        checkpoints=checkpoints,
    )
    return _write(model, attempt, rows_in=rows.num_rows)


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
    attempt.write_table("training.parquet", model.training_log, model.training_log.schema)
    return StageFacts(rows_in=rows_in, rows_out=model.training_log.num_rows)
