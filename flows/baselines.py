"""Baselines of E9 in any domain with two rewards: the same loop, curated otherwise (ours)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from flows.arms import NO_CURATION, least_variance
from flows.class_arms import gap
from flows.domain import Plain
from flows.experiment import Block, Frame, Study, curves, last_values
from tasks.claims import Claim, judge
from tasks.crossings import collapse_time
from tasks.seed_values import largest_of, least_of, mean_of, ratio
from tasks.settings import RunConfig

FloatArray = npt.NDArray[np.float64]

BALANCED, ONE, BEST = "balanced", "one-reward", "best-of-k"
SUM, NOTHING = "weighted-sum", "no-curation"
# Arms that curate without drawing the reward for every draw, and arms that add rows to balanced.
RIVALS = (ONE, SUM, BEST, "per-round", "alternate")
MIXTURES = ("real-data", "accumulate")
ARMS = (BALANCED, *RIVALS, NOTHING, *MIXTURES)
POOL_SIZE = 16
REAL_SHARE = 0.1
COLLAPSED = 0.5  # of the entropy of p_0


def baseline_study(name: str, base: RunConfig, *, seeds: int) -> Study:
    """Nine arms of a base with two rewards; best-of-K with K = 16, real share .1."""
    parts = [reward.model_dump(mode="json") for reward in base.rewards]
    audited = [part | {"weight": 0.0} for part in parts]
    # Only the sum can be standardised: parts have no constants of their own.
    summed: Plain = {"kind": "weighted-sum", "weight": 1.0}
    summed["parts"] = [part | {"standardise": False} for part in parts]
    if any(part.get("standardise") for part in parts):
        summed["standardise"] = True
    arms: dict[str, Plain] = {
        BALANCED: {},
        ONE: {"q": 1.0},
        SUM: {"rewards": [*audited, summed]},
        BEST: {
            "q": 1.0,
            "selection": {"scheme": "fresh", "pool_size": POOL_SIZE, "temperature": 0.0},
        },
        "per-round": {"selection": {"active_reward": "per-round"}},
        "alternate": {"selection": {"active_reward": "alternate"}},
        NOTHING: NO_CURATION,
        "real-data": {"training": {"real_share": REAL_SHARE}},
        "accumulate": {"training": {"accumulate": True}},
    }
    axes = {"seed": range(seeds)}
    return Study(name, base, tuple(Block(axes, arm, arms[arm]) for arm in ARMS))


def judge_least_variance(
    frame: Frame,
    study: Study,
    *,
    above: Mapping[str, float],  # arm that balanced is judged against -> how many times
) -> list[Claim]:
    """Whether balanced keeps the largest min_i Var[r_i].

    Its worst run against the best one of arms that curate otherwise or not at all; its mean
    against that of arms that are balanced curation with further rows.
    """
    least = {arm: least_variance(frame, study, arm=arm) for arm in ARMS}
    claims = []
    for arm, times in above.items():
        if arm in MIXTURES:
            claim = f"mean min_i Var[r_i] of balanced / of {arm}"
            measured = ratio(mean_of(least[BALANCED]), mean_of(least[arm]))
        else:
            claim = f"least min_i Var[r_i] of balanced / largest of {arm}"
            measured = ratio(least_of(least[BALANCED]), largest_of(least[arm]))
        claims.append(judge(claim, measured, above=times))
    return claims


def judge_diversity(frame: Frame, metric: str, label: str) -> list[Claim]:
    """Whether balanced stays more diverse than one reward, and best-of-K collapses fastest.

    `metric` is an entropy in nats, called `label`; a run collapses where it has lost half of it.
    """
    entropies = {arm: last_values(frame, metric, arm=arm).to_numpy() for arm in ARMS}
    times = {arm: mean_of(collapse_times(frame, metric, arm, COLLAPSED)) for arm in ARMS}
    next_fastest = least_of([times[arm] for arm in ARMS if arm != BEST])
    return [
        *(
            judge(
                f"room between the intervals of the {label} of balanced and {arm}, nats",
                gap(entropies[BALANCED], entropies[arm]),
                above=0.0,
            )
            for arm in (ONE, BEST)
        ),
        judge(
            f"k at which the {label} is half of the start: best-of-K / next fastest arm",
            ratio(times[BEST], next_fastest),
            below=1.0,
        ),
    ]


def collapse_times(frame: Frame, metric: str, arm: str, share: float) -> FloatArray:  # (runs,)
    """k at which `metric` of each run is this share of p_0's; infinite where it stays above."""
    found = curves(frame, metric, arm=arm)
    return np.array([collapse_time(found[run], share) for run in found.columns])


def log_drift(frame: Frame, study: Study, arm: str) -> FloatArray:  # (2 runs,)
    """|ln(Var[r_i] at the end / at the start)| of every run of an arm, both rewards."""
    found = [
        curves(frame, f"reward_var.{name}", arm=arm).to_numpy() for name in study.base.reward_names
    ]
    return np.concatenate([np.abs(np.log(one[-1] / one[0])) for one in found if len(one)] or [[]])
