"""Seven mixtures of three rewards: what they are, and how their order is judged."""

import pytest

from flows.e10_standin import EXPERIMENT
from flows.experiment import Study
from flows.reproduce import study_points
from flows.seven_arms import distances, judge_seven, seven_arms
from flows.sweep_points import Point
from tasks.claims import HOLDS, VIOLATED
from tests.flows.frames import Measure, check_judge, check_pages, made_up, with_seeds

NAMES = ("ink", "symmetry", "thinness")


def measured(point: Point, k: int) -> dict[str, float]:
    """Nearer to real images the more rewards count; a reward that counts varies more."""
    weights = dict(zip(NAMES, point.config.weights, strict=True))
    mixed = sum(weight > 0 for weight in weights.values())
    return {
        "frechet_classifier": 40.0 - 10 * mixed + point.config.seed,
        "class_entropy": 0.5 * mixed,
        "feature_variance": 0.2 * mixed,
        **{f"reward_mean.{name}": 3 * weight for name, weight in weights.items()},
        **{f"reward_var.{name}": 0.2 + weight for name, weight in weights.items()},
    }


def reversed_by(metric: str, total: float) -> Measure:
    def change(point: Point, k: int) -> dict[str, float]:
        found = measured(point, k)
        return found | {
            name: total - value for name, value in found.items() if name.startswith(metric)
        }

    return change


@pytest.fixture(scope="module")
def study() -> Study:
    return with_seeds(EXPERIMENT.study(True), 2)


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    opposites = [reversed_by("frechet", 60), reversed_by("reward_var", 2)]
    needed = ("frechet_classifier", "reward_var.thinness")
    check_judge(EXPERIMENT, measured, opposites, needed)


def test_figure_table_and_remarks_are_made_of_what_was_measured(study: Study) -> None:
    check_pages(EXPERIMENT, made_up(study, measured), study)


def test_the_arms_are_all_mixtures_and_each_scores_all_three(study: Study) -> None:
    assert [*seven_arms(NAMES)] == [
        "ink", "symmetry", "thinness", "ink-symmetry", "ink-thinness", "symmetry-thinness",
        "all-three",
    ]  # fmt: skip
    found = {point.arm: point.config for point in study_points(study)}
    assert found["ink-thinness"].weights == [0.5, 0, 0.5]
    assert found["all-three"].weights == pytest.approx([1 / 3] * 3)
    assert all(one.reward_names == [*NAMES] for one in found.values())
    assert all(reward.standardise for one in found.values() for reward in one.rewards)


def test_distances_are_means_over_seeds_of_arms_of_as_many_rewards(study: Study) -> None:
    found = distances(made_up(study, measured), study)
    assert found == {"single rewards": [30.5] * 3, "pairs": [20.5] * 3, "all three": [10.5]}


@pytest.mark.parametrize(
    ("arm", "distance", "which"),
    [("ink", 15.0, 0), ("ink-symmetry", 31.5, 0), ("ink-symmetry", 5.0, 1)],
)
def test_one_arm_out_of_order_is_enough_though_the_means_of_the_kinds_are_in_it(
    study: Study, arm: str, distance: float, which: int
) -> None:
    def one_off(point: Point, k: int) -> dict[str, float]:
        found = measured(point, k)
        return found | {"frechet_classifier": distance} if point.arm == arm else found

    frame = made_up(study, one_off)
    single, pairs, three = (sum(of) / len(of) for of in distances(frame, study).values())
    assert single > pairs > three
    verdicts = [claim.verdict for claim in judge_seven(frame, study)]
    assert verdicts == [VIOLATED if index == which else HOLDS for index in range(3)]
