"""E3: images under preferences for classes (paper, section 4.2, table 1 and appendix C.5)."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from flows.cifar10 import cpu_mini, digits, gpu_small, paper
from flows.class_arms import (
    ENTROPY,
    PRINTED_POOL,
    SPREAD,
    WITHIN,
    ClassArm,
    balanced_arms,
    class_study,
    gap,
    num_seeds,
    of_arm,
    polarised_arms,
    pool_sizes,
    pool_words,
)
from flows.class_figure import draw_classes
from flows.experiment import Experiment, Frame, Printed, Study, curves
from flows.image_gallery import grids_of
from flows.image_values import distance_measured
from flows.table_1 import beside_print
from tasks.claims import Claim, all_hold, judge, said
from tasks.rank import trend
from tasks.seed_values import least_of, mean_of, ratio, with_interval

AT_LEAST = 0.7999  # a rank correlation of .8 passes, rounding or not
DYING = 0.2  # shares up to here are below 1/K of the printed pool size
# Mean over q of |entropy - finite-pool limit|, nats; ours. Provisional: set from one pilot of
# digits with a faster refit than the preset has now (.135 at K = 4 over five seeds); pools of 16
# and the whole set were not measured before.
NEAR = {4: 0.25, 16: 0.25, None: 0.25}


def of_digits(quick: bool) -> Study:
    """All arms with 5 seeds; quick 3 seeds and no pools of 16."""
    if quick:
        return class_study("classes", digits(), seeds=3, pool_sizes=(PRINTED_POOL, None))
    return class_study("classes", digits(), seeds=5)


def of_cpu_mini(quick: bool) -> Study:
    """Five arms of real CIFAR-10 made small, one seed; quick three."""
    counts, shares = ((1, 5), (0.5,)) if quick else ((1, 2, 5), (0.1, 0.3, 0.5))
    return class_study(
        "classes", cpu_mini(), seeds=1, counts=counts, shares=shares, pool_sizes=(PRINTED_POOL,)
    )


def of_gpu_small(quick: bool) -> Study:
    """All arms with 3 seeds; quick one seed and the printed pool size alone."""
    if quick:
        return class_study("classes", gpu_small(), seeds=1, pool_sizes=(PRINTED_POOL,))
    return class_study("classes", gpu_small(), seeds=3)


def of_paper(quick: bool) -> Study:
    """All arms with one seed; quick the printed pool size alone."""
    sizes = (PRINTED_POOL,) if quick else (PRINTED_POOL, 16, None)
    return class_study("classes", paper(), seeds=1, pool_sizes=sizes)


def judge_e3(frame: Frame, study: Study) -> list[Claim]:
    """Ranks as the paper's table has them, and whether finite pools explain it.

    Rank correlations of at least .8, disjoint 95 % intervals at the ends (rule ours, since the
    paper prints one run of each); the threshold of the finite-pool limit is ours.
    """
    arms, printed_pool = balanced_arms(study), polarised_arms(study, PRINTED_POOL)
    distance = distance_measured(frame)
    claims = [
        judge(f"Spearman of {label} with M", rank(frame, metric, arms), above=AT_LEAST)
        for metric, label in (
            (ENTROPY, "class entropy"),
            (SPREAD, "feature variance"),
            (WITHIN, "intra-class variance"),
        )
    ]
    falls = -rank(frame, distance.metric, arms)
    entropies = {count: of_arm(frame, ENTROPY, arm) for count, arm in arms.items()}
    most = max(arms)
    rises = [mean_of(entropies[count]) - mean_of(entropies[1]) for count in arms if count > 1]
    claims += [
        judge(f"Spearman of -{distance.label} with M", falls, above=AT_LEAST),
        judge("least entropy of M >= 2 less that of M = 1, nats", least_of(rises), above=0.0),
        judge(
            f"room between the intervals of the entropy of M = {most} and M = 1, nats",
            gap(entropies[most], entropies[1]),
            above=0.0,
        ),
    ]
    for size in pool_sizes(study):
        label = f"{pool_words(size)}: Spearman of class entropy with q"
        polarised = polarised_arms(study, size)
        claims.append(judge(label, rank(frame, ENTROPY, polarised), above=AT_LEAST))
    found = {q: of_arm(frame, ENTROPY, arm) for q, arm in printed_pool.items()}
    if len(found) > 1:
        rooms = [gap(found[0.5], found[q]) for q in found if q <= DYING]
        claims.append(
            judge(
                f"K = {PRINTED_POOL}: least room between the intervals of the entropy at q = .5 "
                "and at q <= .2, nats",
                least_of(rooms),
                above=0.0,
            )
        )
    return [*claims, *_judge_limits(frame, study)]


def _judge_limits(frame: Frame, study: Study) -> list[Claim]:
    """Whether the entropies are those of finite pools (test ours)."""
    claims = []
    for size in pool_sizes(study):
        off = distance_from_limit(frame, polarised_arms(study, size), size)
        label = f"{pool_words(size)}: mean |class entropy - finite-pool limit| over q, nats"
        claims.append(judge(label, off, below=NEAR[size]))
        if size == PRINTED_POOL:
            endless = distance_from_limit(frame, polarised_arms(study, size), None)
            label = f"{pool_words(size)}: the same / distance from the limit of an infinite pool"
            claims.append(judge(label, ratio(off, endless), below=1.0))
    return claims


def rank(frame: Frame, metric: str, arms: Mapping[Any, ClassArm]) -> float:
    """Spearman's correlation of the means over seeds with what the arms are called by."""
    means = [mean_of(of_arm(frame, metric, arm)) for arm in arms.values()]
    return trend(np.array([*arms], dtype=np.float64), np.array(means))


def distance_from_limit(
    frame: Frame, arms: Mapping[float, ClassArm], pool_size: int | None
) -> float:
    """Mean over arms of |mean entropy - entropy of the limit at this pool size|, nats."""
    off = [
        abs(mean_of(of_arm(frame, ENTROPY, arm)) - arm.limit_entropy(pool_size))
        for arm in arms.values()
    ]
    return mean_of(off)


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm with the last model's metrics, and the entropy of its finite-pool limit."""
    distance = distance_measured(frame)
    columns = {
        "class entropy": ENTROPY,
        "KL to uniform": "kl_to_uniform",
        "feature variance": SPREAD,
        "intra-class variance": WITHIN,
        distance.label: distance.metric,
        "precision": "precision",
        "recall": "recall",
    }
    chosen: dict[str, ClassArm] = {arm.name: arm for arm in balanced_arms(study).values()}
    for size in pool_sizes(study):
        chosen |= {arm.name: arm for arm in polarised_arms(study, size).values()}
    rows = []
    for arm in chosen.values():
        row = {
            "arm": arm.name,
            "M": len(arm.classes),
            "q": "" if arm.q is None else f"{arm.q:g}",
            "K": "all" if arm.pool_size is None else str(arm.pool_size),
            "limit entropy": arm.limit_entropy(arm.pool_size),
        }
        rows.append(row | {k: with_interval(of_arm(frame, m, arm)) for k, m in columns.items()})
    return pd.DataFrame(rows)


def compare(frame: Frame, study: Study) -> list[Printed]:
    """Table 1 beside the arms at the pool size of the author's scripts."""
    return beside_print(frame, study, PRINTED_POOL)


def remarks(frame: Frame, study: Study) -> list[str]:
    """What is not the paper's, and how the numbers are to be read."""
    claims = judge_e3(frame, study)
    distance = distance_measured(frame)
    arms, faint = balanced_arms(study), polarised_arms(study, PRINTED_POOL).get(0.3)
    most = arms[max(arms)]
    spreads = [
        mean_of(curves(frame, SPREAD, arm=most.name).iloc[:1]),
        *(mean_of(of_arm(frame, SPREAD, arm)) for arm in arms.values()),
    ]
    kept = mean_of(of_arm(frame, ENTROPY, faint)) if faint else math.nan
    return said(
        (
            "The paper names neither pool size nor gamma nor the length of fine-tuning, which "
            "decide the digits of its table: compare ranks. Here pools are K fresh candidates a "
            "draw in every arm (the author's scripts: disjoint groups of 4).",
            True,
        ),
        (
            "One seed has no interval, so the rule is not judged; the ranks are.",
            num_seeds(study) == 1,
        ),
        (
            f"{distance.label} is no FID, and no number of the paper's column stands beside it.",
            distance.metric != "fid" and not frame.empty,
        ),
        (
            "At finite K a preference of less than 1/K of the draws dies out: with K = 4 two "
            "classes end as one up to q = .25, as in the printed rows; an infinite pool would keep "
            "shares of q.",
            True,
        ),
        (
            "The measured entropies at K = 4 are nearer to the limit of a finite pool than to that "
            "of an infinite one.",
            all_hold(claims, "the same / distance from the limit of an infinite pool"),
        ),
        (
            f"At K = 4 and q = .3 the limit keeps the minority at 12 % (.37 nats); measured are "
            f"{kept:.3g}, printed .036. Few winners a round and a classifier that errs lose it "
            "before the pool does.",
            kept < 0.18,
        ),
        (
            f"Feature variance does not rank with M here: over that of the training images it is "
            f"{spreads[0]:.3g} at p_0 and ends at {', '.join(f'{one:.3g}' for one in spreads[1:])} "
            f"for M = {', '.join(map(str, arms))}. Retraining on its own samples shrinks it as "
            "well, whatever is liked.",
            not np.isnan(spreads).any() and not all_hold(claims, "feature variance with M"),
        ),
    )


def unjudged(study: Study) -> str | None:
    """Why a study of one seed has no verdict."""
    return "one seed, and the rule needs intervals over seeds" if num_seeds(study) == 1 else None


EXPERIMENT = Experiment(
    name="E3",
    title="Images under preferences for classes",
    claim="The more classes are liked, and the more equally, the more diverse the images stay.",
    source="paper, section 4.2, table 1 and appendix C.5; intervals, pools and limits ours",
    study=of_digits,
    judge=judge_e3,
    draw=draw_classes,
    compare=compare,
    table=table,
    remarks=remarks,
    presets={
        "digits": of_digits,
        "cpu-mini": of_cpu_mini,
        "gpu-small": of_gpu_small,
        "paper": of_paper,
    },
    unjudged=unjudged,
    gallery=lambda contexts: grids_of(contexts, {"samples": ("m1", "k4-q10", "k4-q50", "m5")}),
)
