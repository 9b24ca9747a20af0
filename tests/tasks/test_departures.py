"""What a configuration does beside the loop of the theory, by the name of its option."""

from typing import Any

import pytest

from flows.density import c9
from tasks.departures import departures_of, turns_of_rewards
from tasks.forecast_words import warnings_of
from tests.tasks.test_forecast import configured, forecast

OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"selection": {"active_reward": "per-round"}}, "selection.active_reward per-round"),
    ({"selection": {"replacement": False}}, "selection.replacement false"),
    ({"selection": {"score_noise": 1.5}}, "selection.score_noise 1.5"),
    ({"selection": {"flip_probability": 0.1}}, "selection.flip_probability 0.1"),
    ({"training": {"real_share": 0.1}}, "training.real_share 0.1"),
    ({"training": {"accumulate": True}}, "training.accumulate true"),
]


@pytest.mark.parametrize(("changes", "named"), OPTIONS)
def test_every_option_is_named_with_its_value(changes: dict[str, Any], named: str) -> None:
    assert departures_of(configured(**changes)) == [named]
    found = forecast(1, **changes)
    assert found.departures == [named]
    assert warnings_of(found)[0] == (
        f"not forecast: {named}; the shares are those of the loop without"
    )


def test_the_plain_loop_departs_from_nothing() -> None:
    assert departures_of(configured()) == departures_of(c9()) == []
    assert forecast(1).departures == []


def test_all_departures_are_named_in_one_warning() -> None:
    both = {"selection": {"score_noise": 1.0}, "training": {"accumulate": True}}
    (said,) = warnings_of(forecast(1, **both))
    assert "selection.score_noise 1, training.accumulate true;" in said


def test_rewards_take_turns_only_if_one_decides_a_whole_round() -> None:
    assert turns_of_rewards(configured(selection={"active_reward": "per-round"}))
    assert not turns_of_rewards(configured())
