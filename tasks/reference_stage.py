"""Stage `reference`: features of the real images, as every evaluation compares with them."""

from functools import partial

from data.commit import Attempt
from tasks.context import RunContext
from tasks.image_evaluation import (
    CLASSIFIER_FOLDER,
    INCEPTION_FOLDER,
    inception_features,
)
from tasks.places import Place
from tasks.real_rows import real_rows
from tasks.reference_features import make_reference, write_reference
from tasks.stage import StageFacts


def compute(context: RunContext, place: Place, attempt: Attempt) -> StageFacts:
    """Write classifier/ and, where its weights are given, inception/."""
    real = real_rows(context.config)
    found = context.classify(real)
    reference = make_reference(
        found.features,
        predicted=found.classes,
        num_classes=found.probabilities.shape[1],
    )
    attempt.write_folder(CLASSIFIER_FOLDER, partial(write_reference, reference))
    if context.config.evaluation.inception is not None:
        features = inception_features(context, real)
        # Only the Fréchet distance is taken of Inception's features.
        inception = make_reference(features, most_kept=0)
        attempt.write_folder(INCEPTION_FOLDER, partial(write_reference, inception))
    return StageFacts(rows_in=real.num_rows, rows_out=len(reference.kept))
