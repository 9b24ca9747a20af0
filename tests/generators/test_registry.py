import pytest

from data.errors import ConfigError
from generators.mixture import Mixture, MixtureConfig
from generators.registry import available, find_generator, parse_generator


def test_the_mixture_is_available_as_our_own_and_its_helpers_are_not_generators() -> None:
    assert available()["mixture"] == "pluralist"
    assert not {"warm-em", "scratch-em", "registry"} & available().keys()
    assert find_generator("mixture") is Mixture


def test_an_unknown_generator_is_refused_with_the_generators_there_are() -> None:
    with pytest.raises(ConfigError, match=r"generator: expected one of .*mixture.*, got 'gan'"):
        find_generator("gan")


def test_plain_values_become_the_configuration_of_their_generator() -> None:
    parsed = parse_generator({"kind": "mixture", "components": [[0, 2]]})
    assert parsed == MixtureConfig(components=((0, 2),))
    assert parse_generator(parsed) is parsed


def test_a_wrong_value_is_refused_with_the_generator_and_the_key() -> None:
    with pytest.raises(ConfigError, match=r"generator 'mixture': components: expected pairs"):
        parse_generator({"kind": "mixture", "components": [[1, 2]]})
