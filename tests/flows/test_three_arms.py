"""E11, E11-standin and the three arms they share, on frames made up."""

import pytest

from flows import e11, e11_standin
from flows.experiment import Experiment
from flows.reproduce import study_points
from flows.sweep_points import Point
from flows.three_arms import BALANCED, three_arms
from tasks.stand_ins import stand_ins
from tests.flows.frames import check_judge, check_pages, made_up, with_seeds
from tests.flows.small_studies import small

SMALL = small("e11-standin", {"iterations": 2})


def measured(point: Point, k: int) -> dict[str, float]:
    """A single reward rises and the other falls; balanced rises in both, half as far."""
    names = point.config.reward_names
    shares = [1.0 if share == 1 else (0.5 if share else -1.0) for share in point.config.weights]
    rewards = {f"reward_mean.{name}": k * share for name, share in zip(names, shares, strict=True)}
    balanced = point.arm == BALANCED
    return rewards | {
        **{f"reward_var.{name}": 1.0 for name in names},
        "distinct_2": 0.6 if balanced else 0.4,
        "held_out_perplexity": 30 + k * (1.0 if balanced else 2.0),
        "self_bleu": 0.3,
        "mean_words": 12.0,
        "share_truncated": 0.0,
    }


def opposite(point: Point, k: int) -> dict[str, float]:
    """Both rewards rise under either, balanced is hardly above, less diverse and less likely."""
    balanced = point.arm == BALANCED
    found = measured(point, k)
    rises = {
        name: k * (1.0 if value > 0 else 0.5)
        for name, value in found.items()
        if name.startswith("reward_mean")
    }
    return found | {
        **(dict.fromkeys(rises, k * 0.55) if balanced else rises),
        "distinct_2": 0.4 if balanced else 0.6,
        "held_out_perplexity": 30 + k * (2.0 if balanced else 1.0),
    }


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    needed = ("reward_mean.", "distinct_2", "held_out_perplexity")
    check_judge(SMALL, measured, [opposite], needed)


@pytest.mark.parametrize("experiment", [e11.EXPERIMENT, e11_standin.EXPERIMENT])
def test_figure_table_and_remarks_are_made_of_what_was_measured(experiment: Experiment) -> None:
    study = with_seeds(experiment.study(False), 2)
    check_pages(experiment, made_up(study, measured), study)


def test_arms_differ_in_their_weights_alone() -> None:
    study = e11_standin.EXPERIMENT.study(True)
    names = study.base.reward_names
    assert [block.arm for block in study.blocks] == [*three_arms(names)]
    points = {point.arm: point.config for point in study_points(with_seeds(study, 1))}
    assert points["brevity-only"].weights == [1.0, 0.0]
    assert points["coverage-only"].weights == [0.0, 1.0]
    kinds = {tuple(one.kind for one in config.rewards) for config in points.values()}
    assert len(kinds) == 1


def test_e11_is_judged_with_the_published_weights_and_several_seeds_only() -> None:
    presets = e11.EXPERIMENT.presets
    assert e11.EXPERIMENT.unjudged(presets["paper"](False)) is None
    assert e11.EXPERIMENT.unjudged(presets["paper"](True)) == "one seed, and the rule needs several"
    rehearsal = presets["rehearsal"](False)
    assert e11.EXPERIMENT.unjudged(rehearsal) == "stand-in rewards"
    smaller = e11.EXPERIMENT.unjudged(presets["gpu-small"](False))
    assert smaller is not None and smaller.endswith("in place of the pinned Qwen2.5-1.5B")
    assert stand_ins(rehearsal.base), "named in every manifest"


def test_e11_standin_is_judged_under_its_own_name_and_says_what_it_is_not() -> None:
    study = e11_standin.EXPERIMENT.study(True)
    assert e11_standin.EXPERIMENT.unjudged(study) is None
    words = e11_standin.EXPERIMENT.remarks(made_up(study, measured), study)
    assert "they say nothing of ArmoRM" in words[0]
    assert words[1].startswith("As with the paper's rewards")
