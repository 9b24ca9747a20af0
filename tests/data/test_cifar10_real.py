"""The real CIFAR-10: one array, whichever of the three origins it is read from."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from data.errors import EnvironmentProblem
from data.image_data import Cifar10Data, ImageData, load_images, reduced
from tests.data.cifar10_files import hub_file, write_torchvision

# Each test decodes up to 60,000 PNG files, 0.1 ms each.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> str:
    return str(shared_data / "cifar10")


@pytest.fixture(scope="module")
def train(folder: str) -> ImageData:
    return load_images(Cifar10Data(origin="parquet", path=folder), "train")


def test_counts_means_and_deviations_are_the_published_ones(train: ImageData) -> None:
    assert train.images.shape == (50_000, 32, 32, 3)
    assert np.bincount(train.labels).tolist() == [5_000] * 10
    assert train.class_names[3] == "cat"
    # From a histogram a channel; 50,000 images as floating point would take 1.2 GB.
    for channel, mean, deviation in (
        (0, 0.49139968, 0.24703223),
        (1, 0.48215841, 0.24348513),
        (2, 0.44653091, 0.26158784),
    ):
        share = np.bincount(train.images[..., channel].reshape(-1), minlength=256) / 50_000 / 1024
        levels = np.arange(256) / 255
        centre = share @ levels
        assert centre == pytest.approx(mean, abs=1e-8)
        assert np.sqrt(share @ (levels - centre) ** 2) == pytest.approx(deviation, abs=1e-8)


def test_the_hub_in_its_own_order_gives_the_same_array(
    train: ImageData, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    table = pq.read_table(Path(folder) / "train.parquet")
    file = hub_file(tmp_path, "train")
    file.parent.mkdir(parents=True)
    pq.write_table(table.take(np.random.default_rng(0).permutation(50_000)), file)
    found = load_images(Cifar10Data(path=str(tmp_path)), "train")
    np.testing.assert_array_equal(found.images, train.images)
    np.testing.assert_array_equal(found.labels, train.labels)


def test_torchvision_gives_the_same_array_and_a_damaged_file_is_refused(
    train: ImageData, folder: str, shared_data: Path, tmp_path: Path
) -> None:
    write_torchvision(tmp_path, shared_data)
    config = Cifar10Data(origin="torchvision", path=str(tmp_path))
    found = load_images(config, "train")
    np.testing.assert_array_equal(found.images, train.images)
    np.testing.assert_array_equal(found.labels, train.labels)
    test = load_images(Cifar10Data(origin="parquet", path=folder), "test")
    np.testing.assert_array_equal(load_images(config, "test").images, test.images)

    batch = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    content = bytearray(batch.read_bytes())
    content[5_000] ^= 1
    batch.write_bytes(content)
    load_images.cache_clear()
    with pytest.raises(EnvironmentProblem, match="not found or corrupted"):
        load_images(config, "train")


def test_a_small_part_is_the_beginning_of_each_class_reduced(train: ImageData, folder: str) -> None:
    config = Cifar10Data(origin="parquet", path=folder, size=8, per_class=12)
    part = load_images(config, "train")
    assert part.images.shape == (120, *config.shape)
    rows = np.flatnonzero(train.labels == 6)[:12]
    chosen = part.images[part.labels == 6]
    np.testing.assert_array_equal(chosen, reduced(train.images[rows], size=8))
    test = load_images(config, "test")
    assert np.bincount(test.labels).tolist() == [2] * 10
