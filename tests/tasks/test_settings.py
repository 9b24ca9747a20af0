"""The configuration of a run: weights that change, training sets, what is refused."""

from typing import Any

import pytest

from data.errors import ConfigError
from flows.density import c9
from flows.gmm import paper
from tasks.settings import RunConfig, TrainingConfig, WeightKnot, parse_config


def configured(**changes: Any) -> RunConfig:
    return parse_config(paper().model_dump(mode="json") | changes)


def knots(*pairs: tuple[int, tuple[float, ...]]) -> list[dict[str, Any]]:
    return [{"iteration": iteration, "weights": weights} for iteration, weights in pairs]


def test_without_a_schedule_the_weights_are_those_of_the_rewards_in_every_iteration() -> None:
    config = configured(q=0.3)
    assert config.weights_at(0) == config.weights_at(29) == config.weights == [0.3, 0.7]


def test_weights_are_linear_between_knots_and_constant_outside_them() -> None:
    config = configured(weight_schedule=knots((2, (1.0, 0.0)), (6, (0.5, 0.5))))
    assert [config.weights_at(t)[0] for t in range(9)] == pytest.approx(
        [1, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.5, 0.5]
    )


def test_weights_of_a_schedule_are_normalised_before_they_are_joined() -> None:
    config = configured(weight_schedule=knots((0, (3.0, 1.0)), (2, (0.0, 20.0))))
    assert config.weights_at(1) == pytest.approx([0.375, 0.625])
    assert all(sum(config.weights_at(t)) == pytest.approx(1) for t in range(4))


def test_a_schedule_of_one_knot_takes_the_place_of_the_weights() -> None:
    config = configured(q=0.5, weight_schedule=knots((4, (0.2, 0.8))))
    assert config.weights_at(0) == config.weights_at(9) == pytest.approx([0.2, 0.8])
    assert config.weights == [0.5, 0.5]


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (
            knots((3, (1.0, 1.0)), (3, (1.0, 0.0))),
            r"weight_schedule: expected ascending iterations, got \[3, 3\]",
        ),
        (
            knots((3, (1.0, 1.0)), (1, (1.0, 0.0))),
            r"weight_schedule: expected ascending iterations, got \[3, 1\]",
        ),
        (
            knots((0, (1.0, 1.0)), (5, (1.0,))),
            "weight_schedule: expected 2 weights at iteration 5, got 1; give one a reward",
        ),
        (
            knots((0, (0.0, 0.0))),
            r"weight_schedule.0.weights: expected numbers of at least 0 that are not all 0, "
            r"got \[0.0, 0.0\]",
        ),
        (knots((0, (2.0, -1.0))), r"expected numbers of at least 0 .*, got \[2.0, -1.0\]"),
        (knots((-1, (1.0, 1.0))), "weight_schedule.0.iteration: .* got -1"),
        ([{"weights": [1, 1]}], "weight_schedule.0.iteration: Field required"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(schedule: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        configured(weight_schedule=schedule)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_of_real_rows_is_between_0_and_1(share: float) -> None:
    with pytest.raises(ConfigError, match=f"training.real_share: .*, got {share}"):
        configured(training={"real_share": share})


@pytest.mark.parametrize("training", [{"real_share": 0.2}, {"accumulate": True}])
def test_selection_in_expectation_trains_on_the_curated_set_alone(training: Any) -> None:
    text = (
        "training: expected no real rows and no accumulation with scheme 'expected', got "
        ".*; use another selection.scheme"
    )
    with pytest.raises(ConfigError, match=text):
        parse_config(c9().model_dump(mode="json") | {"training": training})
    assert c9().training == TrainingConfig()


def test_options_of_later_releases_stay_out_of_record_and_fingerprint_while_neutral() -> None:
    neutral = configured(
        weight_schedule=[], training={"real_share": 0, "accumulate": False},
        evaluation={"basin_epsilon": 1.0}, selection={"score_noise": 0, "flip_probability": 0},
    )  # fmt: skip
    assert neutral.fingerprint == paper().fingerprint
    assert not {"weight_schedule", "training"} & neutral.model_dump().keys()


@pytest.mark.parametrize(
    "changes",
    [
        {"weight_schedule": knots((0, (0.5, 0.5)))},
        {"training": {"real_share": 0.1}},
        {"training": {"accumulate": True}},
        {"evaluation": {"basin_epsilon": 0.5}},
        {"selection": {"score_noise": 0.1}},
        {"selection": {"flip_probability": 0.1}},
    ],
)
def test_each_of_them_changes_the_fingerprint_once_it_is_set(changes: Any) -> None:
    assert configured(**changes).fingerprint != paper().fingerprint


def test_where_a_run_is_done_and_how_far_do_not_enter_its_fingerprint() -> None:
    other = configured(iterations=3, runtime={"granularity": "run", "prefect": False})
    assert other.fingerprint == paper().fingerprint
    shared = configured(runtime={"shard_workers": 3})
    assert shared.model_dump()["runtime"]["shard_workers"] == 3, "it is recorded"
    assert shared.fingerprint == paper().fingerprint
    assert "shard_workers" not in paper().model_dump()["runtime"]
    assert configured(runtime={"threads": 2}).fingerprint != paper().fingerprint


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"rewards": [{"kind": "quadratic", "centre": [0, 0], "weight": 0}]},
            "rewards: expected at least one positive weight, got only zeros",
        ),
        (
            {"rewards": [{"kind": "quadratic", "centre": [0, 0], "name": "a"}] * 2},
            r"rewards: expected different names, got \['a', 'a'\]; set `name`",
        ),
        ({"rewards": []}, "rewards: .*at least 1 item"),
        (
            {"q": 0.5, "rewards": [{"kind": "quadratic", "centre": [0, 0]}]},
            "q: expected exactly 2 rewards to weigh, got .*; set each reward's weight",
        ),
        ({"q": 1.5}, "q: expected a number between 0 and 1, got 1.5"),
        ({"q": True}, "q: expected a number between 0 and 1, got True"),
        ({"selection": {"replacement": False, "num_curated": 1001}}, "num_curated without"),
        ({"generator": {"kind": "gan"}}, "generator: expected one of .*, got 'gan'"),
    ],
)
def test_a_configuration_that_cannot_run_is_refused(changes: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        configured(**changes)


def test_a_knot_is_a_configuration_of_its_own() -> None:
    assert WeightKnot(iteration=0, weights=(1.0, 0.0)).weights == (1.0, 0.0)


def test_expectation_needs_a_generator_with_a_support() -> None:
    with pytest.raises(ConfigError, match="expected a generator with a finite support, got 'mixt"):
        configured(selection={"scheme": "expected"})


def test_real_rows_need_a_generator_that_has_some() -> None:
    raw = c9().model_dump(mode="json")
    sampled = raw | {"selection": {"scheme": "all"}, "training": {"real_share": 0.1}}
    with pytest.raises(ConfigError, match="real_share: expected 0 for generator 'density', which"):
        parse_config(sampled)


def test_weights_whose_sum_overflows_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected numbers with a finite sum, got .1e.308, 1e"):
        configured(weight_schedule=knots((0, (1e308, 1e308))))
    rewards = [reward | {"weight": 1e308} for reward in paper().model_dump(mode="json")["rewards"]]
    with pytest.raises(ConfigError, match="rewards: expected weights with a finite sum, got .1e"):
        configured(rewards=rewards)
