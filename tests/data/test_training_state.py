"""The state of a training loop, written and read back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.training_state import STATE, read_state, write_state

Make = Callable[[Any], Any]


def makers() -> dict[str, Make]:
    import torch

    return {
        "adam": lambda weights: torch.optim.Adam(weights, lr=0.1),
        "adam, fused": lambda weights: torch.optim.Adam(weights, lr=0.1, fused=True),
        "momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
        "plain": lambda weights: torch.optim.SGD(weights, lr=0.1),
    }


def new_network() -> Any:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return torch.nn.Linear(3, 2)


def train(network: Any, optimizer: Any, steps: int) -> None:
    import torch

    for step in range(steps):
        loss = network(torch.full((4, 3), 1.0 + step)).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("kind", ["adam", "adam, fused", "momentum", "plain"])
def test_training_goes_on_from_its_state_to_the_same_bits(tmp_path: Path, kind: str) -> None:
    import torch

    make, whole, half = makers()[kind], new_network(), new_network()
    optimizer = make(whole.parameters())
    train(whole, optimizer, 3)
    write_state(tmp_path, tensors={"weights": dict(whole.named_parameters())}, optimizer=optimizer)
    resumed = make(half.parameters())
    groups = read_state(tmp_path, optimizer=resumed)
    with torch.no_grad():
        for name, weight in half.named_parameters():
            weight.copy_(groups["weights"][name])
    train(whole, optimizer, 3)
    train(half, resumed, 3)
    for one, other in zip(whole.parameters(), half.parameters(), strict=True):
        assert torch.equal(one, other)


def test_groups_keep_their_names_also_with_slashes_and_dots(tmp_path: Path) -> None:
    import torch

    network = new_network()
    optimizer = makers()["adam"](network.parameters())
    tensors = {
        "average": {"0": torch.ones(2), "a/b.c": torch.zeros(1)},
        "generators": {"cpu": torch.arange(3, dtype=torch.uint8)},
    }
    write_state(tmp_path, tensors=tensors, optimizer=optimizer)
    groups = read_state(tmp_path, optimizer=optimizer)
    assert {group: list(values) for group, values in groups.items()} == {
        "average": ["0", "a/b.c"], "generators": ["cpu"],
    }  # fmt: skip
    assert groups["generators"]["cpu"].dtype == torch.uint8


def test_equal_states_are_equal_bytes_and_learning_rates_are_not_in_them(tmp_path: Path) -> None:
    contents = []
    for number, rate in enumerate((0.1, 0.7)):
        network = new_network()
        optimizer = makers()["momentum"](network.parameters())
        train(network, optimizer, 2)
        optimizer.param_groups[0]["lr"] = rate
        folder = tmp_path / str(number)
        folder.mkdir()
        write_state(folder, tensors={"weights": network.state_dict()}, optimizer=optimizer)
        contents.append((folder / STATE).read_bytes())
    assert contents[0] == contents[1]


def test_an_optimizer_with_other_state_than_tensors_is_our_mistake(tmp_path: Path) -> None:
    network = new_network()
    optimizer = makers()["momentum"](network.parameters())
    train(network, optimizer, 1)
    optimizer.state[network.weight]["note"] = "text"
    with pytest.raises(AssertionError, match="optimizer state note is no tensor"):
        write_state(tmp_path, tensors={}, optimizer=optimizer)
