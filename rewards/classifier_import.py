"""Published checkpoints of classifiers: read without executing anything, checked by digest."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError, EnvironmentProblem
from data.foreign_tensors import read_foreign, tensors_of
from rewards.classifier_config import ClassifierConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

AKAMASTER = "https://github.com/akamaster/pytorch_resnet_cifar10"
HUYVNPHAN = "https://github.com/huyvnphan/PyTorch_CIFAR10"
# How a file is fetched.
PLACES = {
    "resnet20": f"`curl -LO {AKAMASTER}/raw/master/pretrained_models/resnet20-12fca82f.th`",
    "resnet56": f"`git clone {AKAMASTER}`, resnet56*.th in its folder pretrained_models",
    "vgg11-bn": (
        f"`git clone {HUYVNPHAN} && cd PyTorch_CIFAR10 && python train.py --download_weights 1`, "
        "vgg11_bn.pt in its folder cifar10_models/state_dicts"
    ),
    "small-cnn": "nowhere, it has to be trained",
}
SHOWN = 5
ADVICE = "use the published file"


def import_weights(network: "nn.ModuleDict", config: ClassifierConfig) -> None:
    """Put the parameters of the file `config.weights` into `network`.

    The file holds a state dict, or one under `state_dict`, whose keys may start with `module.`
    (a network that was trained on several GPUs). Raises `EnvironmentProblem` for a file that is
    not there, has another digest or holds no tensors, `ConfigError` for another network's.
    """
    user = f"classifier {config.architecture}"
    assert config.weights is not None
    path = Path(config.weights)
    if not path.is_file():
        raise EnvironmentProblem(
            f"{user}: expected published weights in {path}, got no such file; they are published "
            f"here: {PLACES[config.architecture]}; or leave out weights and weights_sha256 to "
            "train it"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != config.weights_sha256:
        raise EnvironmentProblem(
            f"{user}: expected weights with SHA-256 {config.weights_sha256} in {path}, got "
            f"{digest}; fetch the file again or correct weights_sha256"
        )
    found = _state_dict(path, user)
    wanted = network.state_dict()
    problems = [
        (what, sorted(names))
        for what, names in (
            # Networks saved before torch 0.4.1 do not count their batches; nothing reads it.
            ("missing", {n for n in wanted.keys() - found.keys() if "num_batches" not in n}),
            ("unexpected", found.keys() - wanted.keys()),
            (
                "of another shape",
                {n for n in wanted.keys() & found.keys() if wanted[n].shape != found[n].shape},
            ),
        )
        if names
    ]
    if problems:
        lines = "; ".join(f"{what}: {_some(names)}" for what, names in problems)
        raise ConfigError(
            f"{user}: expected a checkpoint with the {len(wanted)} tensors of this network in "
            f"{path}, got {lines}; use the file of this architecture"
        )
    network.load_state_dict(wanted | found)


def _state_dict(path: Path, user: str) -> dict[str, "torch.Tensor"]:
    content = read_foreign(path, user, ADVICE)
    inner = content.get("state_dict", content) if isinstance(content, dict) else content
    state = tensors_of(inner, path, user, ADVICE)
    return {name.removeprefix("module."): value for name, value in state.items()}


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
