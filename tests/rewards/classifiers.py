"""Classifiers and images that the tests share."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from data.image_data import ImageData
from rewards.classifier import Classifier, new_network
from rewards.classifier_config import ClassifierConfig

SHA_RESNET20 = "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8"
NAMES = tuple("abcdefghij")


def digits_config(**changes: Any) -> ClassifierConfig:
    """The small network on the digits."""
    plain = {"architecture": "small-cnn", "data": {"kind": "digits"}} | changes
    return ClassifierConfig.model_validate(plain)


def resnet20_config(shared_data: Path, **changes: Any) -> ClassifierConfig:
    """The real ResNet-20 and the real CIFAR-10."""
    plain = {
        "architecture": "resnet20",
        "data": {"kind": "cifar10", "origin": "parquet", "path": str(shared_data / "cifar10")},
        "weights": str(shared_data / "weights" / "resnet20-12fca82f.th"),
        "weights_sha256": SHA_RESNET20,
    }
    return ClassifierConfig.model_validate(plain | changes)


def untrained(config: ClassifierConfig, *, seed: int = 0) -> Classifier:
    """Random parameters."""
    return Classifier(config, new_network(config, len(NAMES), seed=seed), class_names=NAMES)


def noise(config: ClassifierConfig, num_images: int) -> ImageData:
    """Random images with random labels, of the shape of the configured data."""
    rng = np.random.default_rng(3)
    images = rng.integers(256, size=(num_images, *config.data.shape)).astype(np.uint8)
    return ImageData(images, rng.integers(10, size=num_images), NAMES)


def first_test_images(shared_data: Path, num_images: int) -> ImageData:
    """The first test images of CIFAR-10, without decoding the others."""
    from PIL import Image

    rows = pq.read_table(shared_data / "cifar10" / "test.parquet").slice(0, num_images)
    pictures = [np.asarray(Image.open(io.BytesIO(row["bytes"]))) for row in rows["img"].to_pylist()]
    return ImageData(np.array(pictures), rows["label"].to_numpy(), NAMES)
