"""Inception's features: torch-fidelity's own, from a file that is checked first."""

import hashlib
import pickle
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch

from data.errors import ConfigError, EnvironmentProblem
from tasks.fid import FILE_NAME, URL, WIDTH, InceptionConfig, InceptionFeatures


class Averages(torch.nn.Module):
    """Stands in for the network: each channel's mean, again and again."""

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor]:
        assert pixels.dtype == torch.uint8
        means = pixels.float().mean(dim=(2, 3))
        return (means.repeat(1, -(-WIDTH // 3))[:, :WIDTH],)


def config_of(path: Path, **changes: Any) -> InceptionConfig:
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "0" * 64
    return InceptionConfig(**({"weights": str(path), "sha256": digest} | changes))


def random_images(n: int, channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    shape = (n, 8, 8, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def random_inception() -> torch.nn.Module:
    """torch-fidelity's module with random weights, without its download."""
    from torch_fidelity import feature_extractor_inceptionv3 as module

    with (
        torch.random.fork_rng(devices=[]),
        mock.patch.object(module, "load_state_dict_from_url", return_value={}),
        mock.patch.object(module.FeatureExtractorInceptionV3, "load_state_dict"),
    ):
        torch.manual_seed(0)
        network: torch.nn.Module = module.FeatureExtractorInceptionV3("random", ["2048"])
        for weights in network.parameters():
            # He's variance; torch's own would shrink features to 1e-8 over so many layers.
            if weights.dim() == 4:
                weights.data.mul_(6**0.5)
    return network


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the published layout (95 MB) with random weights."""
    path = tmp_path_factory.mktemp("inception") / FILE_NAME
    torch.save(random_inception().state_dict(), path)
    return path


@pytest.mark.slow  # 95 MB of weights, twice through 299 x 299 pixels
def test_features_are_those_of_torch_fidelity(weights_file: Path) -> None:
    images = random_images(3, 3)
    before = torch.get_rng_state()
    found = InceptionFeatures.load(config_of(weights_file, batch_size=2))(images)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.inference_mode():
        (expected,) = random_inception()(torch.from_numpy(images).permute(0, 3, 1, 2))
    assert found.shape == (3, WIDTH) and found.dtype == np.float32
    assert found.std() > 0.01
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_images_keep_their_order_over_batches() -> None:
    images = random_images(7, 3)
    config = InceptionConfig(weights="none", batch_size=3)
    found = InceptionFeatures(Averages(), config)(images)
    np.testing.assert_allclose(found[:, :3], images.mean(axis=(1, 2)), rtol=1e-6)


def test_grey_images_have_three_equal_channels() -> None:
    grey = random_images(5, 1)
    features = InceptionFeatures(Averages(), InceptionConfig(weights="none"))
    np.testing.assert_array_equal(features(grey), features(np.repeat(grey, 3, axis=3)))


def test_the_place_of_the_file_is_not_in_the_fingerprint_and_its_digest_is() -> None:
    part = InceptionConfig(weights="somewhere").fingerprint_part()
    assert part == InceptionConfig(weights="elsewhere").fingerprint_part()
    assert part["sha256"].startswith(FILE_NAME.rpartition("-")[2].removesuffix(".pth"))


def test_a_missing_file_ends_with_code_7_and_the_command_that_fetches_it(tmp_path: Path) -> None:
    path = tmp_path / "none.pth"
    with pytest.raises(EnvironmentProblem, match="got No such file") as found:
        InceptionFeatures.load(config_of(path))
    assert found.value.exit_code == 7
    assert f"fetch them: curl -L --create-dirs -o '{path}' {URL}" in str(found.value)


def test_another_digest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"other")
    with pytest.raises(EnvironmentProblem, match=r"expected the SHA-256 6726825d.* got d9298a10"):
        InceptionFeatures.load(InceptionConfig(weights=str(path)))


@pytest.mark.parametrize("state", [b"no weights", {}, {"fc.weight": torch.zeros(2)}])
def test_a_file_of_anything_else_is_refused(state: Any, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    if isinstance(state, bytes):
        path.write_bytes(state)
    else:
        torch.save(state, path)
    with pytest.raises(EnvironmentProblem, match=r"expected the weights of .*fetch them: curl"):
        InceptionFeatures.load(config_of(path))


class Intruder:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def test_a_file_that_would_run_code_is_refused_before_it_does(tmp_path: Path) -> None:
    path, target = tmp_path / FILE_NAME, tmp_path / "executed"
    path.write_bytes(pickle.dumps(Intruder(target)))
    with pytest.raises(EnvironmentProblem, match="expected the weights of torch-fidelity's"):
        InceptionFeatures.load(config_of(path))
    torch.save({"fc.weight": Intruder(target)}, path)
    with pytest.raises(EnvironmentProblem, match="expected the weights of torch-fidelity's"):
        InceptionFeatures.load(config_of(path))
    assert not target.exists()


def test_images_of_two_channels_are_refused() -> None:
    features = InceptionFeatures(Averages(), InceptionConfig(weights="none"))
    with pytest.raises(ConfigError, match="1 or 3 channels, got 2; leave out"):
        features(random_images(1, 2))
