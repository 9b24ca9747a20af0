"""What an evaluation says of images: one pass of the classifier, one of Inception if given."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.images import COLUMN, images_of
from tasks.context import RunContext
from tasks.image_metrics import measure_images, measure_inception
from tasks.places import Place
from tasks.reference_features import ReferenceFeatures, read_reference
from tasks.tail_region import TailRegion, read_tail_region

Float32Array = npt.NDArray[np.float32]

CLASSIFIER_FOLDER, INCEPTION_FOLDER, TAIL_FOLDER = "classifier", "inception", "tail"


def measure_image_samples(
    context: RunContext,
    samples: pa.Table,  # n rows
) -> dict[str, float]:
    """Metrics of images as `measure_images` names them, and `fid` where Inception is given.

    Empty for samples that are no images and for runs without a classifier.
    """
    if COLUMN not in samples.column_names or context.config.classifier is None:
        return {}
    found = context.classify(samples)
    measured = measure_images(
        found.probabilities,
        found.features,
        context.classifier.class_names,
        context.remember("reference", _reference),
        tail=context.remember("tail", _tail),
    )
    if context.config.evaluation.inception is None:
        return measured
    features = inception_features(context, samples)
    return measured | measure_inception(features, context.remember("inception", _of_inception))


def inception_features(
    context: RunContext,
    samples: pa.Table,  # n rows
) -> Float32Array:  # (n, 2048)
    """Features of Inception-v3 by the configured weights."""
    from tasks.fid import InceptionFeatures

    config = context.config.evaluation.inception
    assert config is not None
    network = context.remember("inception network", lambda _context: InceptionFeatures.load(config))
    return network(images_of(samples, "evaluation"))


def _reference(context: RunContext) -> ReferenceFeatures:
    return read_reference(_folder(context, "reference", CLASSIFIER_FOLDER))


def _of_inception(context: RunContext) -> ReferenceFeatures:
    return read_reference(_folder(context, "reference", INCEPTION_FOLDER))


def _tail(context: RunContext) -> TailRegion:
    return read_tail_region(_folder(context, "constants", TAIL_FOLDER))


def _folder(context: RunContext, stage: str, name: str) -> Path:
    return context.open_place(Place(None, stage)).verified_folder(name)
