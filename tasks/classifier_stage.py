"""Stage `classifier`: the classifier of images that rewards and metrics of a run use."""

from data.checkpoints import CheckpointFolder
from data.commit import Attempt
from data.errors import ConfigError
from data.schemas import NETWORK_TRAINING
from data.seeds import stage_seed
from tasks.context import RunContext
from tasks.places import Place
from tasks.stage import StageFacts


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write model/ and training.parquet of the classifier, trained or imported."""
    from rewards.classifier_training import train_classifier

    config = context.config.classifier
    if config is None:
        raise ConfigError(
            f"run {context.run!r}: expected a classifier of images, got none; set `classifier`"
        )
    made = train_classifier(
        config,
        seed=stage_seed(config.seed, "classifier", 0),
        checkpoints=CheckpointFolder(
            context.folder(place), fingerprint=context.fingerprints.of(place)
        ),
    )
    attempt.write_folder("model", made.classifier.save)
    attempt.write_table("training.parquet", made.training_log, NETWORK_TRAINING)
    return StageFacts(rows_in=0, rows_out=made.training_log.num_rows)
