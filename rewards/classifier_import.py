"""Published checkpoints of classifiers: read without executing anything, checked by digest."""

from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError
from data.foreign_tensors import check_file, mismatch, read_foreign, tensors_of
from rewards.classifier_config import ClassifierConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

AKAMASTER = "https://github.com/akamaster/pytorch_resnet_cifar10"
HUYVNPHAN = "https://github.com/huyvnphan/PyTorch_CIFAR10"
FETCH = {
    "resnet20": (
        f"fetch it: `curl -LO {AKAMASTER}/raw/master/pretrained_models/resnet20-12fca82f.th`"
    ),
    "resnet56": (
        f"fetch it: `git clone {AKAMASTER}`, resnet56*.th in its folder pretrained_models"
    ),
    "vgg11-bn": (
        f"fetch it: `git clone {HUYVNPHAN} && cd PyTorch_CIFAR10 && python train.py "
        "--download_weights 1`, vgg11_bn.pt in its folder cifar10_models/state_dicts"
    ),
    "small-cnn": "no weights of it are published",
}
ADVICE = "use the published file"


def import_weights(network: "nn.ModuleDict", config: ClassifierConfig) -> None:
    """Put the parameters of the file `config.weights` into `network`.

    The file holds a state dict, or one under `state_dict`, whose keys may start with `module.`
    (a network that was trained on several GPUs). Raises `EnvironmentProblem` for a file that is
    not there, has another digest or holds no tensors, `ConfigError` for another network's.
    """
    assert config.weights is not None
    check_weights(config)
    user, path = _user(config), Path(config.weights)
    found, wanted = _state_dict(path, user), network.state_dict()
    # Networks saved before torch 0.4.1 do not count their batches; nothing reads it.
    counts = {name: one for name, one in wanted.items() if "num_batches" in name}
    if problems := mismatch(_shapes(counts | found), _shapes(wanted)):
        raise ConfigError(
            f"{user}: expected a checkpoint with the {len(wanted)} tensors of this network in "
            f"{path}, got {problems}; use the file of this architecture"
        )
    network.load_state_dict(wanted | found)


def check_weights(config: ClassifierConfig) -> None:
    """Raise `EnvironmentProblem` for a configured file that is missing or another one."""
    if config.weights is not None and config.weights_sha256 is not None:
        fetch = (
            f"{FETCH[config.architecture]}; or leave out weights and weights_sha256 to train the "
            "classifier"
        )
        check_file(Path(config.weights), config.weights_sha256, _user(config), fetch)


def _user(config: ClassifierConfig) -> str:
    return f"classifier {config.architecture}"


def _shapes(tensors: "dict[str, torch.Tensor]") -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in tensors.items()}


def _state_dict(path: Path, user: str) -> dict[str, "torch.Tensor"]:
    content = read_foreign(path, user, ADVICE)
    inner = content.get("state_dict", content) if isinstance(content, dict) else content
    state = tensors_of(inner, path, user, ADVICE)
    return {name.removeprefix("module."): value for name, value in state.items()}
