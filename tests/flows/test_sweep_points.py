"""Axes as written on the command line, and the members they make."""

from typing import Any

import pytest

from data.errors import ConfigError
from flows.domain import Plain, find_domain, find_preset
from flows.sweep import Axis, parse_axis, points

GMM = find_domain("gmm")
BASE: Plain = find_preset(GMM, "smoke").base().model_dump(mode="json")
ARMS: dict[str, Plain] = {"plural": {}, "single": {"q": 1.0}}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("q=0.1,0.3,0.5", (0.1, 0.3, 0.5)),
        ("seed=0..3", (0, 1, 2, 3)),
        ("seed=-1..1,7", (-1, 0, 1, 7)),
        ("a=1e-3,2E4", (0.001, 20000.0)),
        ("a.b=null, true ,fresh", (None, True, "fresh")),
        ("a='1'", ("1",)),
        ("a=1,true", (1, True)),
    ],
)
def test_an_axis_is_read_as_ranges_and_yaml_values(text: str, values: tuple[Any, ...]) -> None:
    axis = parse_axis(text)
    assert axis == Axis(text.partition("=")[0], values)
    assert [type(value) for value in axis.values] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q", "expected key=value,value or key=first..last, got 'q'"),
        ("=1", "expected key=value,value or key=first..last, got '=1'"),
        ("q=", "expected a value between commas, got nothing"),
        ("q=1,,2", "expected a value between commas, got nothing"),
        ("q=1,1.0", "axis q: expected different values, got 1.0 twice"),
        ("seed=3..1", "expected first..last in ascending order, got '3..1'"),
        ("seed=0..999999999", "expected at most 100000 values, got '0..999999999'"),
        ("q=.nan", "expected finite numbers, got '.nan'"),
        ("q=[1]", r"expected numbers, texts or null, got '\[1\]'"),
        ("q=]", "expected YAML values, got ']'"),
    ],
)
def test_an_axis_that_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_axis(text)


def test_members_are_every_arm_with_every_combination_the_last_axis_fastest() -> None:
    found = points(
        GMM, BASE, [Axis("distance", (2, 6)), Axis("seed", (0, 1))], {"a": {}, "b": {"gamma": 2.0}}
    )
    assert [(point.arm, *point.values.values()) for point in found] == [
        (arm, distance, seed) for arm in "ab" for distance in (2, 6) for seed in (0, 1)
    ]
    last = found[-1].config
    assert last.seed == 1
    assert [reward.model_dump()["centre"] for reward in last.rewards] == [(-3, 0), (3, 0)]
    assert [reward.model_dump()["gamma"] for reward in last.rewards] == [2.0, 2.0]


def test_short_keys_paths_and_lists_reach_the_configuration() -> None:
    axes = [
        Axis("q", (0.25,)),
        Axis("selection.temperature", (0.5,)),
        Axis("rewards.0.gamma", (2.0,)),
        Axis("rewards.1.gamma", (3.0,)),
    ]
    (point,) = points(GMM, BASE, axes)
    config = point.config
    assert config.weights == [0.25, 0.75]
    assert config.selection.temperature == 0.5
    assert [reward.model_dump()["gamma"] for reward in config.rewards] == [2.0, 3.0]
    assert config.num_candidates == 200, "what is not swept stays as in the base"


def test_a_mapping_is_a_value_whose_key_is_only_a_label() -> None:
    cases = ({"q": 0.1, "seed": 5}, {"selection": {"temperature": 0.0}})
    first, second = points(GMM, BASE, [Axis("case", cases)])
    assert (first.config.weights[0], first.config.seed) == (0.1, 5)
    assert second.config.selection.temperature == 0.0
    assert second.changes == {"selection": {"temperature": 0.0}}
    assert first.values == {"case": cases[0]}


def test_an_arm_stays_what_its_name_says() -> None:
    found = points(GMM, BASE, [Axis("q", (0.1, 0.5)), Axis("seed", (0, 1))], ARMS)
    assert [(point.arm, point.values["q"], point.values["seed"]) for point in found] == [
        ("plural", 0.1, 0), ("plural", 0.1, 1), ("plural", 0.5, 0), ("plural", 0.5, 1),
        ("single", 1.0, 0), ("single", 1.0, 1),
    ]  # fmt: skip
    assert [point.config.weights[0] for point in found] == [0.1, 0.1, 0.5, 0.5, 1.0, 1.0]


def test_an_arm_wins_over_an_axis_inside_a_list_it_sets() -> None:
    rewards = [{**reward, "gamma": 9.0} for reward in BASE["rewards"]]
    (point,) = points(GMM, BASE, [Axis("rewards.0.gamma", (1.0, 2.0))], {"a": {"rewards": rewards}})
    assert point.values == {"rewards.0.gamma": 9.0}


def test_no_axes_make_one_member_of_each_arm() -> None:
    assert [point.arm for point in points(GMM, BASE, [], ARMS)] == ["plural", "single"]
    assert [point.arm for point in points(GMM, BASE, [])] == [None]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([Axis("q", (2,))], r"q=2: .*q: expected a number between 0 and 1, got 2"),
        ([Axis("nothing", (2,))], "nothing=2: nothing: unknown key"),
        ([Axis("rewards.7.gamma", (2,))], "--over rewards.7.gamma=2: expected an index below 2"),
        ([Axis("q", (0.1,)), Axis("q", (0.2,))], "axes: expected different keys, got q, q"),
        ([Axis("q", ())], "axis q: expected at least one value, got none"),
        ([Axis("q", (1, 1))], "axis q: expected different values, got 1 twice"),
        ([Axis("metric", (1,))], "axis metric: expected another key, that is a column"),
        (
            [Axis("seed", tuple(range(1000))), Axis("iterations", tuple(range(1, 200)))],
            "expected at most 100000 members, got more; sweep in parts",
        ),
    ],
)
def test_members_that_cannot_be_run_are_refused(axes: list[Axis], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        points(GMM, BASE, axes)
