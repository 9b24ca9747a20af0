"""What tests of training loops ask of a fit."""

from generators.network_fit import Fit


def assert_same(first: Fit, second: Fit) -> None:
    assert first.losses.tobytes() == second.losses.tobytes()
    assert first.weights.keys() == second.weights.keys()
    for name, weight in first.weights.items():
        assert weight.numpy().tobytes() == second.weights[name].numpy().tobytes(), name
