"""ResNets for CIFAR-10."""

import pytest
import torch

from rewards import resnet


@pytest.mark.parametrize(("blocks", "layers", "parameters"), [(3, 20, 269_722), (9, 56, 853_018)])
def test_depth_and_parameters_are_those_of_the_paper(
    blocks: int, layers: int, parameters: int
) -> None:
    network = resnet.build(10, blocks=blocks)
    weights = [name for name, value in network.named_parameters() if value.dim() > 1]
    assert len(weights) == layers
    assert sum(value.numel() for value in network.parameters()) == parameters
    assert {"conv1.weight", "layer3.0.bn2.running_mean", "linear.bias"} <= set(network.state_dict())


def test_a_block_without_a_residual_is_its_shortcut_with_zeros_on_either_side() -> None:
    network = resnet.build(10, blocks=1).eval()
    for number in (1, 2, 3):
        torch.nn.init.zeros_(network[f"layer{number}"][0]["bn2"].weight)  # type: ignore[index]
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        stem = network["bn1"](network["conv1"](images)).relu()
        pooled = resnet.features(network, images)
    # Two shortcuts by every second pixel: 16 channels in the middle of 64.
    expected = torch.zeros(2, 64)
    expected[:, 24:40] = stem[:, :, ::4, ::4].mean(dim=(2, 3))
    torch.testing.assert_close(pooled, expected)


def test_logits_are_linear_in_the_features() -> None:
    network = resnet.build(4, blocks=1)
    linear = network["linear"].state_dict()
    found = resnet.logits(network, torch.eye(resnet.NUM_FEATURES)).detach()
    torch.testing.assert_close(found, linear["weight"].T + linear["bias"])
