"""Training of a classifier: what it reaches, resuming, bad numbers."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.checkpoints import CheckpointFolder
from data.errors import BadNumbers
from data.image_data import load_images
from data.schemas import TRAINING
from rewards.classifier import new_network, tensors_of
from rewards.classifier_config import ClassifierConfig
from rewards.classifier_training import step_size, train_classifier, train_network
from tests.rewards.classifiers import digits_config, noise, resnet20_config

SHORT = digits_config(num_epochs=4, checkpoint_every=1, batch_size=300)


class Killed(Exception):
    """The process ends here."""


class Dying(CheckpointFolder):
    """A folder whose process dies right after its `survived`-th checkpoint."""

    survived = 2

    def commit(self, position: dict[str, Any], write: Callable[[Path], None]) -> None:
        super().commit(position, write)
        if position["epoch"] == self.survived:
            raise Killed


def saved_bytes(config: ClassifierConfig, folder: Path, **given: Any) -> tuple[bytes, bytes, bytes]:
    trained = train_classifier(config, **given)
    folder.mkdir()
    trained.classifier.save(folder)
    losses = trained.training_log["loss"].to_numpy().tobytes()
    files = [(folder / name).read_bytes() for name in ("model.safetensors", "config.json")]
    return files[0], files[1], losses


def test_the_small_network_learns_the_digits() -> None:
    config = digits_config()
    trained = train_classifier(config, seed=0)
    accuracy = trained.classifier.test_accuracy
    assert accuracy is not None and accuracy > 0.93
    assert accuracy == trained.classifier.accuracy(load_images(config.data, "test"))
    log = trained.training_log
    assert log.schema.equals(TRAINING)
    assert log["step"].to_pylist() == list(range(config.num_epochs * (1497 // config.batch_size)))
    losses = log["loss"].to_numpy()
    assert losses[0] > 2 and losses[-20:].mean() < 0.2


def test_the_seed_decides_every_byte_and_torchs_generator_is_left_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    one, again, other = (
        saved_bytes(SHORT, tmp_path / name, seed=seed)
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert one == again
    assert one[0] != other[0]


def test_an_interrupted_training_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole = saved_bytes(SHORT, tmp_path / "whole", seed=1)
    with pytest.raises(Killed):
        train_classifier(SHORT, seed=1, checkpoints=Dying(tmp_path, fingerprint="a" * 64))
    kept = CheckpointFolder(tmp_path, fingerprint="a" * 64)
    found = kept.latest()
    assert found is not None and found[0]["epoch"] == 2
    # Other global numbers must not matter.
    torch.rand(3)
    assert saved_bytes(SHORT, tmp_path / "resumed", seed=1, checkpoints=kept) == whole


@pytest.mark.slow  # two epochs of 28 million parameters, three times, and their checkpoints
def test_dropout_is_the_same_after_an_interruption(tmp_path: Path) -> None:
    plain = {"data": {"kind": "cifar10"}, "num_epochs": 2, "checkpoint_every": 1, "batch_size": 4}
    config = ClassifierConfig.model_validate(plain)
    data = noise(config, 8)
    whole, cut = (new_network(config, 10, seed=0) for _ in range(2))
    losses = train_network(whole, data, config, seed=3)
    dying = Dying(tmp_path, fingerprint="a" * 64)
    dying.survived = 1
    with pytest.raises(Killed):
        train_network(cut, data, config, seed=3, checkpoints=dying)
    resumed = new_network(config, 10, seed=9)
    kept = CheckpointFolder(tmp_path, fingerprint="a" * 64)
    assert train_network(resumed, data, config, seed=3, checkpoints=kept) == losses
    for name, value in tensors_of(whole).items():
        np.testing.assert_array_equal(tensors_of(resumed)[name], value)


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_the_checkpoint(
    tmp_path: Path,
) -> None:
    with pytest.raises(Killed):
        train_classifier(SHORT, seed=1, checkpoints=Dying(tmp_path, fingerprint="a" * 64))
    kept = CheckpointFolder(tmp_path, fingerprint="a" * 64)
    wild = SHORT.model_copy(update={"learning_rate": 1e30})
    text = r"classifier small-cnn: expected a finite loss, got (nan|inf) in step .* \(epoch 2\);"
    with pytest.raises(BadNumbers, match=text):
        train_classifier(wild, seed=1, checkpoints=kept)
    found = kept.latest()
    assert found is not None and found[0]["epoch"] == 2


@pytest.mark.parametrize("num_epochs", [1, 2])
def test_parameters_that_are_not_finite_are_neither_kept_nor_returned(
    tmp_path: Path, num_epochs: int
) -> None:
    # One step an epoch: its loss is finite, what it makes of the parameters is not.
    wild = digits_config(
        num_epochs=num_epochs, checkpoint_every=1, learning_rate=1e30, weight_decay=1e30
    )
    kept = CheckpointFolder(tmp_path, fingerprint="a" * 64)
    with pytest.raises(BadNumbers, match=r"finite parameters after epoch 0, got .*; lower"):
        train_network(
            new_network(wild, 10, seed=0), noise(wild, 20), wild, seed=0, checkpoints=kept
        )
    assert kept.latest() is None


def test_fewer_images_than_a_batch_are_one_batch() -> None:
    config = digits_config(num_epochs=3)
    network = new_network(config, 10, seed=0)
    assert len(train_network(network, noise(config, 5), config, seed=0)) == 3


def test_one_cycle_rises_for_three_tenths_and_falls_to_zero() -> None:
    config = digits_config(learning_rate=2.0)
    sizes = [step_size(config, step, 100) for step in range(100)]
    assert sizes[0] == pytest.approx(2 / 31)
    np.testing.assert_allclose(np.diff(sizes[:30]), 2 / 31)
    assert max(sizes) == sizes[30] == 2.0
    assert sizes[65] == pytest.approx(1.0)
    assert 0 < sizes[99] < 0.002
    assert all(np.diff(sizes[30:]) < 0)


def test_cosine_begins_at_the_largest_step() -> None:
    config = digits_config(learning_rate=2.0, schedule="cosine")
    for step in (0, 10, 25, 49):
        expected = 1 + math.cos(math.pi * step / 50)
        assert step_size(config, step, 50) == pytest.approx(expected)


@pytest.mark.slow  # all 60,000 images are decoded and 10,000 classified
def test_the_imported_resnet20_has_its_published_accuracy(shared_data: Path) -> None:
    trained = train_classifier(resnet20_config(shared_data), seed=0)
    assert trained.classifier.test_accuracy == pytest.approx(0.9173, abs=5e-4)
    assert trained.training_log.num_rows == 0
    assert trained.classifier.class_names[3] == "cat"
