"""Import of published checkpoint files."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import ConfigError, EnvironmentProblem
from rewards.classifier import new_network
from rewards.classifier_config import ClassifierConfig
from rewards.classifier_import import import_weights
from tests.rewards.classifiers import digits_config, resnet20_config

TRAINED = new_network(digits_config(), 10, seed=5)


def config_of(path: Path) -> ClassifierConfig:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return digits_config(weights=str(path), weights_sha256=digest)


def saved(folder: Path, content: Any) -> ClassifierConfig:
    torch.save(content, folder / "file.pt")
    return config_of(folder / "file.pt")


def imported(config: ClassifierConfig) -> dict[str, torch.Tensor]:
    network = new_network(config, 10, seed=0)
    import_weights(network, config)
    return network.state_dict()


def same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(torch.equal(found[k], wanted[k]) for k in wanted)


def test_a_plain_state_dict_and_one_of_several_gpus_are_both_read(tmp_path: Path) -> None:
    state = TRAINED.state_dict()
    assert same(imported(saved(tmp_path, state)), state)
    wrapped = {"state_dict": {f"module.{k}": v for k, v in state.items()}, "best_prec1": 91.7}
    assert same(imported(saved(tmp_path, wrapped)), state)


def test_a_file_from_before_batches_were_counted_is_read(tmp_path: Path) -> None:
    old = {k: v for k, v in TRAINED.state_dict().items() if "num_batches" not in k}
    assert same(imported(saved(tmp_path, old)), TRAINED.state_dict())


def test_the_real_resnet20_has_every_tensor_of_ours(shared_data: Path) -> None:
    config = resnet20_config(shared_data)
    network = new_network(config, 10, seed=0)
    import_weights(network, config)
    assert config.weights is not None
    file = torch.load(config.weights, map_location="cpu", weights_only=True)["state_dict"]
    assert {k.removeprefix("module.") for k in file} >= {k for k, _ in network.named_parameters()}
    found = network.state_dict()
    assert all(torch.equal(found[k.removeprefix("module.")], v) for k, v in file.items())


def test_missing_unexpected_and_misshapen_tensors_are_listed_together(tmp_path: Path) -> None:
    state = dict(TRAINED.state_dict())
    del state["conv1.weight"]
    state |= {"extra": torch.zeros(1), "linear.bias": torch.zeros(3)}
    text = (
        "classifier small-cnn: expected a checkpoint with the .* tensors of this network in .*, "
        "got missing: conv1.weight; unexpected: extra; of another shape: "
        r"linear.bias \(3,\) for \(10,\); use the file"
    )
    with pytest.raises(ConfigError, match=text):
        imported(saved(tmp_path, state))


def test_a_checkpoint_of_another_network_names_some_and_counts_the_rest(tmp_path: Path) -> None:
    state = {f"layer{i}": torch.zeros(1) for i in range(9)}
    with pytest.raises(ConfigError, match=r"unexpected: layer0, .*, layer4 and 4 more;"):
        imported(saved(tmp_path, state))


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"state_dict": 7}])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    text = "expected a state dict of tensors in .*, got (list|dict|int); use the published file"
    with pytest.raises(EnvironmentProblem, match=text):
        imported(saved(tmp_path, content))


def test_a_file_that_would_run_code_or_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    text = "got a file that torch refuses to read safely"
    with pytest.raises(EnvironmentProblem, match=text):
        imported(saved(tmp_path, {"state_dict": Path("x")}))
    (tmp_path / "text.pt").write_text("no checkpoint")
    with pytest.raises(EnvironmentProblem, match=text):
        imported(config_of(tmp_path / "text.pt"))


def test_another_file_than_the_configured_one_is_refused(tmp_path: Path) -> None:
    config = saved(tmp_path, TRAINED.state_dict()).model_copy(update={"weights_sha256": "0" * 64})
    with pytest.raises(EnvironmentProblem, match=r"expected SHA-256 0{64} of .*, got"):
        imported(config)


@pytest.mark.parametrize(
    ("architecture", "place"),
    [
        ("resnet20", "`curl -LO https://github.com/akamaster/.*/resnet20-12fca82f.th`"),
        ("resnet56", "`git clone https://github.com/akamaster/pytorch_resnet_cifar10`"),
        ("vgg11-bn", "`git clone https://github.com/huyvnphan/PyTorch_CIFAR10 .*download_weights"),
    ],
)
def test_a_file_that_is_not_there_is_said_with_the_way_to_fetch_it(
    tmp_path: Path, architecture: str, place: str
) -> None:
    plain = {
        "architecture": architecture,
        "data": {"kind": "cifar10"},
        "weights": str(tmp_path / "none.pt"),
        "weights_sha256": "0" * 64,
    }
    with pytest.raises(
        EnvironmentProblem, match=f"expected a file at .*, got none; .*{place}.* to train the"
    ):
        import_weights(torch.nn.ModuleDict(), ClassifierConfig.model_validate(plain))
