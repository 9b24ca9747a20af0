"""Classes and features of images."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from data.errors import BadNumbers, ConfigError
from data.images import image_table
from data.pixels import on_device, signed, unsigned
from rewards.architectures import ARCHITECTURES
from rewards.classifier import BATCH, Classifier, new_network, normalised
from rewards.classifier_import import import_weights
from tests.rewards.classifiers import (
    NAMES,
    digits_config,
    first_test_images,
    noise,
    resnet20_config,
    untrained,
)

CONFIG = digits_config()
IMAGES = noise(CONFIG, 20).images


def real_resnet20(shared_data: Path) -> Classifier:
    config = resnet20_config(shared_data)
    network = new_network(config, 10, seed=0)
    import_weights(network, config)
    return Classifier(config, network, class_names=NAMES)


def test_probabilities_are_distributions_and_features_come_from_the_layer_before() -> None:
    classifier = untrained(CONFIG)
    found = classifier.classify(IMAGES)
    assert found.probabilities.shape == (20, 10) and found.probabilities.dtype == np.float64
    assert found.features.shape == (20, 64) and found.features.dtype == np.float32
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-12)
    weight, bias = (
        new_network(CONFIG, 10, seed=0)["linear"].state_dict()[name].double().numpy()
        for name in ("weight", "bias")
    )
    logits = found.features @ weight.T + bias
    np.testing.assert_allclose(
        found.probabilities, torch.tensor(logits).softmax(dim=1).numpy(), rtol=1e-5
    )


def test_a_table_of_images_is_classified_as_the_images_are() -> None:
    classifier = untrained(CONFIG)
    table, images = classifier(image_table(IMAGES)), classifier.classify(IMAGES)
    np.testing.assert_array_equal(table.probabilities, images.probabilities)
    np.testing.assert_array_equal(table.features, images.features)


def test_more_images_than_a_batch_and_none_at_all_are_classified() -> None:
    classifier = untrained(CONFIG)
    images = noise(CONFIG, BATCH + 5).images
    found = classifier.classify(images)
    alone = classifier.classify(images[-5:])
    np.testing.assert_allclose(found.probabilities[-5:], alone.probabilities, rtol=1e-5)
    assert classifier.classify(images[:0]).probabilities.shape == (0, 10)


def test_bytes_become_numbers_from_0_to_1_and_are_normalised_once() -> None:
    config = digits_config(mean=(0.25,), deviation=(0.5,))
    pixels = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)
    np.testing.assert_allclose(normalised(unsigned(pixels), config).flatten(), [-0.5, 1.5])


def test_only_the_right_range_of_pixels_gives_the_real_resnet_its_accuracy(
    shared_data: Path,
) -> None:
    classifier, data = real_resnet20(shared_data), first_test_images(shared_data, 300)
    pixels = on_device(data.images)
    resnet = ARCHITECTURES["resnet20"]

    def accuracy(values: torch.Tensor) -> float:
        with torch.no_grad():
            inputs = normalised(values, classifier.config)
            pooled = resnet.features(classifier._network, inputs)
            logits = resnet.logits(classifier._network, pooled)
        return float(np.mean(logits.argmax(dim=1).numpy() == data.labels))

    right = classifier.accuracy(data)
    assert right > 0.9
    assert accuracy(unsigned(pixels)) == right
    assert accuracy(signed(pixels)) < 0.5
    assert accuracy(pixels.float()) < 0.2


def test_the_real_resnet_knows_cifar10(shared_data: Path) -> None:
    accuracy = real_resnet20(shared_data).accuracy(first_test_images(shared_data, 2000))
    # 91.73 % on all 10,000; the standard error of 2,000 is 0.6 %.
    assert accuracy == pytest.approx(0.9173, abs=0.015)


def test_what_is_saved_and_loaded_answers_the_same(tmp_path: Path) -> None:
    network = new_network(CONFIG, 10, seed=4)
    classifier = Classifier(CONFIG, network, class_names=NAMES, test_accuracy=0.5)
    classifier.save(tmp_path)
    loaded = Classifier.load(tmp_path, CONFIG)
    assert (loaded.class_names, loaded.test_accuracy) == (NAMES, 0.5)
    np.testing.assert_array_equal(
        loaded.classify(IMAGES).probabilities, classifier.classify(IMAGES).probabilities
    )


def test_equal_classifiers_give_equal_bytes_without_an_accuracy_too(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        untrained(CONFIG).save(tmp_path / name)
    for file in ("model.safetensors", "config.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert Classifier.load(tmp_path / "one", CONFIG).test_accuracy is None


def test_a_classifier_of_another_architecture_is_not_loaded(tmp_path: Path) -> None:
    untrained(CONFIG).save(tmp_path)
    other = CONFIG.model_copy(update={"architecture": "resnet20"})
    text = "classifier resnet20: expected a model of kind 'resnet20' in .*, got 'small-cnn'"
    with pytest.raises(ConfigError, match=text):
        Classifier.load(tmp_path, other)


def test_images_of_another_shape_are_refused_with_both_shapes() -> None:
    text = (
        r"classifier small-cnn: expected images of shape \(8, 8, 1\), got \(8, 8, 3\); give "
        "classifier and generator the same data"
    )
    with pytest.raises(ConfigError, match=text):
        untrained(CONFIG).classify(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(ConfigError, match="classifier small-cnn: expected a column 'image'"):
        untrained(CONFIG)(pa.table({"x": [0.0]}))


def test_broken_parameters_are_refused_at_the_first_image() -> None:
    network = new_network(CONFIG, 10, seed=0)
    network["linear"].load_state_dict(
        {"weight": torch.full((10, 64), torch.nan), "bias": torch.zeros(10)}
    )
    text = r"classifier small-cnn: expected finite probabilities, got \[nan.*for image 0 \(20 such"
    with pytest.raises(BadNumbers, match=text):
        Classifier(CONFIG, network, class_names=NAMES).classify(IMAGES)


def test_a_new_network_is_decided_by_its_seed_and_leaves_torchs_generator_alone() -> None:
    before = torch.random.get_rng_state()
    one, again, other = (new_network(CONFIG, 10, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["conv1.weight"], other["conv1.weight"])
