import pytest

from data.errors import ConfigError
from flows.two_rewards import expand_two_rewards

TWO = [{"kind": "quadratic", "centre": [9.0, 9.0]}, {"kind": "quadratic", "centre": [0.0, 0.0]}]


def test_a_distance_places_both_centres_around_the_origin() -> None:
    expanded = expand_two_rewards({"rewards": TWO, "distance": 3, "seed": 1}, ("gamma",))
    assert [reward["centre"] for reward in expanded["rewards"]] == [[-1.5, 0.0], [1.5, 0.0]]
    assert expanded.keys() == {"rewards", "seed"}
    assert TWO[0]["centre"] == [9.0, 9.0], "the given rewards stay as they were"


def test_a_shape_key_is_set_for_both_and_leaves_the_centres() -> None:
    expanded = expand_two_rewards({"rewards": TWO, "gamma": 2}, ("gamma",))
    assert [reward["gamma"] for reward in expanded["rewards"]] == [2.0, 2.0]
    assert [reward["centre"] for reward in expanded["rewards"]] == [[9.0, 9.0], [0.0, 0.0]]


def test_keys_without_a_value_change_nothing() -> None:
    raw = {"rewards": TWO, "distance": None}
    assert expand_two_rewards(raw, ("gamma",)) == {"rewards": TWO}


@pytest.mark.parametrize("rewards", [None, 5, TWO[:1], [1, 2]])
def test_another_number_of_rewards_is_refused(rewards: object) -> None:
    with pytest.raises(ConfigError, match=r"distance, height, width: expected exactly 2 rewards"):
        expand_two_rewards({"rewards": rewards, "distance": 1.0}, ("height", "width"))


@pytest.mark.parametrize("value", [True, "wide", [1]])
def test_a_value_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="gamma: expected a number, got"):
        expand_two_rewards({"rewards": TWO, "gamma": value}, ("gamma",))


def test_a_negative_distance_is_refused() -> None:
    with pytest.raises(ConfigError, match="distance: expected a number of at least 0, got -3; the"):
        expand_two_rewards({"rewards": TWO, "distance": -3}, ())
