"""E10-standin: the arms of E10 with conflicts that need no model, on digits (ours)."""

from flows.cifar10 import digits
from flows.class_arms import fresh_pools
from flows.experiment import Experiment, Frame, Study
from flows.image_gallery import grids_of
from flows.seven_arms import ALL, draw_seven, judge_seven, seven_study, table_seven
from rewards.ink import InkConfig
from rewards.registry import RewardConfig
from rewards.symmetry import SymmetryConfig
from rewards.thinness import ThinnessConfig
from tasks.claims import all_hold, said

NAMES = ("ink", "symmetry", "thinness")


def rewards() -> tuple[RewardConfig, ...]:
    """More ink, left-right symmetry, thin strokes, standardised on p_0."""
    kinds = (InkConfig, SymmetryConfig, ThinnessConfig)
    return tuple(
        kind(name=name, standardise=True, weight=1 / 3)
        for kind, name in zip(kinds, NAMES, strict=True)
    )


def study(quick: bool) -> Study:
    """Seven arms with 5 seeds; quick 3."""
    return seven_study("computed", fresh_pools(digits()), rewards(), seeds=3 if quick else 5)


def remarks(frame: Frame, study: Study) -> list[str]:
    """That this is not the paper's experiment, and what was found."""
    claims = judge_seven(frame, study)
    return said(
        (
            "Ink, symmetry and thinness of digits are computed from pixels. They test the arms, "
            "the loop and the order of the distances; they say nothing of PickScore, ImageReward "
            "or the aesthetic predictor, which E10 judges by their published weights.",
            True,
        ),
        (
            "As with the paper's rewards the mixture of all three stays nearest to the real "
            "images, and single rewards end farthest.",
            all_hold(claims, "single rewards / largest of pairs", "pairs / all three"),
        ),
    )


EXPERIMENT = Experiment(
    name="E10-standin",
    title="Three conflicting rewards of digits: ink, symmetry, thinness",
    claim="A mixture of all three rewards stays nearest to the real images, pairs lie between, "
    "single rewards are worst; a reward that is left out loses its variance.",
    source="arms and claims of the paper's section C.8; rewards and data ours",
    study=study,
    judge=judge_seven,
    draw=draw_seven,
    table=table_seven,
    remarks=remarks,
    presets={"digits": study},
    gallery=lambda contexts: grids_of(contexts, {"samples": (*NAMES, ALL)}),
)
