"""E9 on images, on frames made up to hold, to fail and to lack a metric."""

from flows.baselines import ARMS, baseline_study
from flows.e9_images import EXPERIMENT
from flows.reproduce import study_points
from flows.sweep_points import Point
from rewards.weighted_sum import WeightedSumConfig
from tests.flows.frames import Measure, check_judge, check_pages, made_up, with_seeds
from tests.flows.small_studies import small

# As judged, but for the number of rounds.
SMALL = small("e9-images", {"iterations": 2})

START = 1.0
# Var[r_i] and class entropy of the last model of every arm.
LAST = {
    "balanced": (5.0, 1.0), "one-reward": (0.2, 0.1), "weighted-sum": (1.5, 0.6),
    "best-of-k": (0.01, 0.01), "per-round": (1.5, 0.5), "alternate": (1.5, 0.5),
    "no-curation": (2.0, 2.2), "real-data": (4.0, 1.5), "accumulate": (4.5, 1.2),
}  # fmt: skip


def measured(point: Point, k: int) -> dict[str, float]:
    """Values that go from those of p_0 to the arm's last along a geometric path."""
    variance, entropy = LAST[point.arm or ""]
    done = k / point.config.iterations
    shown = 2.3 * (entropy / 2.3) ** done
    return {
        "reward_mean.class-0": 1.0,
        "reward_mean.class-1": 1.0,
        "reward_var.class-0": START * (variance / START) ** done,
        "reward_var.class-1": START * (1.5 * variance / START) ** done,
        "class_entropy": shown + 0.001 * point.config.seed,
        "feature_variance": 0.5,
        "frechet_classifier": 20.0,
        "tail_coverage": 1.0,
    }


def test_rewards_of_different_scales_are_standardised_as_a_sum_not_as_its_parts() -> None:
    base = EXPERIMENT.study(True).base
    rewards = tuple(one.model_copy(update={"standardise": True}) for one in base.rewards)
    study = baseline_study("scales", base.model_copy(update={"rewards": rewards}), seeds=1)
    found = {point.arm: point.config.rewards for point in study_points(study)}
    *audited, summed = found["weighted-sum"]
    assert isinstance(summed, WeightedSumConfig) and summed.standardise
    assert [part.standardise for part in summed.parts] == [False, False]
    assert all(one.standardise for one in (*audited, *found["balanced"]))


def changed(arm: str, metric: str, factor: float) -> Measure:
    """`measured` with a metric of every later model of an arm multiplied."""

    def change(point: Point, k: int) -> dict[str, float]:
        values = measured(point, k)
        if point.arm == arm and k > 0:
            values |= {name: x * factor for name, x in values.items() if name.startswith(metric)}
        return values

    return change


OPPOSITES = (
    changed("balanced", "reward_var", 1e-4),
    changed("balanced", "class_entropy", 1e-3),
    changed("best-of-k", "class_entropy", 50),
)


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    needed = ("reward_var.class-0", "reward_var.class-1", "class_entropy")
    check_judge(SMALL, measured, OPPOSITES, needed)


def test_figure_table_and_remarks_are_made_of_what_was_measured() -> None:
    study = with_seeds(SMALL.study(True), 2)
    check_pages(EXPERIMENT, made_up(study, measured), study)


def test_the_study_has_the_nine_arms_of_e9() -> None:
    members = study_points(EXPERIMENT.study(False))
    assert {point.arm for point in members} == set(ARMS)
    assert len({point.config.fingerprint for point in members}) == len(members) == 9 * 5
    sums = next(point.config for point in members if point.arm == "weighted-sum")
    assert sums.weights == [0, 0, 1], "both rewards are measured beside their sum"
