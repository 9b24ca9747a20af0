"""E10: judged with the published weights only; rehearsed with stand-ins."""

import dataclasses

import pytest

from flows.e10 import EXPERIMENT, published, stand_ins
from flows.experiment import Study
from flows.located import located
from flows.reproduce import study_points
from flows.sweep_points import Point
from tests.flows.frames import check_judge, check_pages, made_up, with_seeds

PRESETS = ("paper", "gpu-small")
FID = ("evaluation.inception.weights=inception.pth",)


def measured(point: Point, k: int) -> dict[str, float]:
    """Nearer to real images the more rewards count; a reward that counts varies more."""
    weights = dict(zip(point.config.reward_names, point.config.weights, strict=True))
    mixed = sum(weight > 0 for weight in weights.values())
    return {
        "fid": 90.0 - 20 * mixed + point.config.seed,
        "class_entropy": 0.5 * mixed,
        "feature_variance": 0.2 * mixed,
        **{f"reward_mean.{name}": 3 * weight for name, weight in weights.items()},
        **{f"reward_var.{name}": 0.2 + weight for name, weight in weights.items()},
    }


def worse(point: Point, k: int) -> dict[str, float]:
    return {name: 100 - value for name, value in measured(point, k).items()}


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    check_judge(EXPERIMENT, measured, [worse], ("fid", "reward_var.aesthetic"))


def test_figure_table_and_remarks_are_made_of_what_was_measured() -> None:
    study = with_seeds(EXPERIMENT.study(True), 2)
    check_pages(EXPERIMENT, made_up(study, measured), study)


@pytest.mark.parametrize("preset", PRESETS)
def test_fid_of_several_seeds_with_published_weights_is_judged(preset: str) -> None:
    study = EXPERIMENT.presets[preset](False)
    with_fid = located(study, FID)
    assert EXPERIMENT.unjudged(with_fid) is None
    assert EXPERIMENT.unjudged(study) == "no FID, which needs evaluation.inception.weights"
    other = located(study, (*FID, f"evaluation.inception.sha256={'a' * 64}"))
    assert EXPERIMENT.unjudged(other) == EXPERIMENT.unjudged(study), "of no known Inception"
    one = located(EXPERIMENT.presets[preset](True), FID)
    assert EXPERIMENT.unjudged(one) == "one seed, and the order of arms needs several"
    assert [reward.kind for reward in study.base.rewards] == [
        "pick-score", "image-reward", "aesthetic",
    ]  # fmt: skip
    assert len(study_points(study)) == 7 * len(study.blocks[0].axes["seed"])


def test_one_stand_in_among_three_is_enough_not_to_be_judged() -> None:
    study = EXPERIMENT.presets["paper"](False)
    mixed = (*published()[:2], stand_ins()[2])
    base = study.base.model_copy(update={"rewards": mixed})
    assert EXPERIMENT.unjudged(dataclasses.replace(study, base=base)) == "stand-in rewards"


def test_the_rehearsal_is_small_and_not_judged() -> None:
    study: Study = EXPERIMENT.presets["rehearsal"](False)
    assert EXPERIMENT.unjudged(study) == "stand-in rewards"
    config = study_points(study)[0].config
    assert config.num_candidates * config.iterations < 1000
    again = study_points(EXPERIMENT.presets["rehearsal"](False))[0].config
    assert again == config, "the stand-ins lie where the next process finds them"
