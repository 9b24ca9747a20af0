"""E9: plural curation beside the simpler ways to retrain on one's own output (baselines, ours)."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import moments, table_of_arms
from flows.baselines import (
    ARMS,
    BALANCED,
    BEST,
    MIXTURES,
    NOTHING,
    ONE,
    RIVALS,
    SUM,
    baseline_study,
    collapse_times,
    judge_least_variance,
    log_drift,
)
from flows.experiment import Experiment, Frame, Study, curves, last_values
from flows.gmm import paper
from tasks.claims import Claim, all_hold, judge, said
from tasks.geometry import two_modes
from tasks.panels import band, new_figure, one_legend
from tasks.seed_values import largest_of, least_of, mean_of, ratio

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
COLLAPSED = 0.01  # of the variance of p_0


def study(quick: bool) -> Study:
    """Nine arms with 20 seeds, 5 when quick; best-of-K with K = 16, real share .1."""
    return baseline_study("baselines", paper(), seeds=5 if quick else 20)


def collapsed_at(frame: Frame, study: Study, arm: str) -> FloatArray:  # (runs,)
    """k at which Var[r_1] of each run is 1 % of p_0's; infinite where it stays above."""
    return collapse_times(frame, f"reward_var.{study.base.reward_names[0]}", arm, COLLAPSED)


def offset(frame: Frame, study: Study, arm: str) -> FloatArray:  # (runs,)
    """|Mean of the last model along the axis, from the midpoint| / d, from the mean rewards.

    r_1 - r_2 = -2 gamma d x, so E[x] = (E[r_2] - E[r_1]) / (2 gamma d).
    """
    modes = two_modes(study.base)
    assert modes is not None
    first, second = (
        last_values(frame, f"reward_mean.{name}", arm=arm) for name in study.base.reward_names
    )
    apart = (second - first).abs()  # NaN for a run that lacks one of them
    return np.asarray(apart / (2 * modes.gamma * modes.distance**2), dtype=np.float64)


def judge_e9(frame: Frame, study: Study) -> list[Claim]:
    """Order of the arms; thresholds ours, each with room beside what pilot runs measured."""
    above = dict.fromkeys(RIVALS, 10.0) | dict.fromkeys((NOTHING, *MIXTURES), 1.0)
    claims = judge_least_variance(frame, study, above=above)
    squared = last_values(frame, "order_parameter_squared", arm=SUM)
    times = {arm: mean_of(collapsed_at(frame, study, arm)) for arm in ARMS}
    next_fastest = least_of([times[arm] for arm in ARMS if arm != BEST])
    return [
        *claims,
        judge("weighted sum: largest order parameter M^2", largest_of(squared), below=0.05),
        judge(
            "weighted sum: largest distance of the mean from the midpoint / d",
            largest_of(offset(frame, study, SUM)),
            below=0.1,
        ),
        judge(
            "k at which Var[r_1] is 1 % of the start: best-of-K / next fastest arm",
            ratio(times[BEST], next_fastest),
            below=1.0,
        ),
        judge(
            "no curation: mean |ln(Var[r_i] at the end / at the start)|",
            mean_of(log_drift(frame, study, NOTHING)),
            below=float(np.log(2)),
        ),
    ]


def draw(frame: Frame, study: Study) -> "Figure":
    """Variance, order parameter, tail coverage and entropy over iterations, one line an arm."""
    figure, axes = new_figure(4, columns=2)
    first = study.base.reward_names[0]
    shown = (
        (f"reward_var.{first}", f"Var[{first}], reward units²", True),
        ("order_parameter_squared", "order parameter M²", False),
        ("tail_coverage", "tail coverage (1: as p_0)", False),
        ("entropy", "differential entropy, nats", False),
    )
    for panel, (metric, label, logarithmic) in zip(axes, shown, strict=True):
        for arm in ARMS:
            found = curves(frame, metric, arm=arm)
            band(
                panel, found.index.to_numpy(), found.to_numpy().T,
                label=arm, colour=arm, logarithmic=logarithmic,
            )  # fmt: skip
        panel.set_xlabel("k of the model p_k")
        panel.set_ylabel(label)
    axes[0].set_ylim(bottom=1e-8)
    axes[2].set_ylim(bottom=0)
    one_legend(axes, columns=5)
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm with the last model's moments, order parameter, tail coverage and collapse."""
    names = study.base.reward_names
    columns = {"M^2": "order_parameter_squared", "tail coverage": "tail_coverage"}
    times = {f"k of 1 % of Var[{names[0]}]": partial(collapsed_at, frame, study)}
    return table_of_arms(frame, ARMS, moments(names) | columns, times)


def remarks(frame: Frame, study: Study) -> list[str]:
    """How the arms are to be read; what was measured is said where it was."""
    claims = judge_e9(frame, study)
    tails = [mean_of(last_values(frame, "tail_coverage", arm=arm)) for arm in (BALANCED, ONE, SUM)]
    return said(
        (
            "The paper names baselines without describing or measuring them: arms, settings and "
            "thresholds are ours. Largest min_i Var[r_i] is judged against the arms that curate "
            "otherwise; real data and accumulation are balanced curation with further rows, and "
            "are compared by their mean alone.",
            True,
        ),
        (
            "The further rows of real data and accumulation lie between the modes and so lower "
            "min_i Var[r_i].",
            all_hold(claims, *(f"of balanced / of {arm}" for arm in MIXTURES)),
        ),
        (
            "Tail coverage is the share of samples outside p_0's densest 95 % region over .05, at "
            "most 20. It says that p_0's body was left, not that a model is diverse: balanced "
            "has {:.3g}, one-reward {:.3g}, the weighted sum {:.3g}.".format(*tails),
            not np.isnan(tails).any(),
        ),
        (
            "One reward a round and rewards in turn keep no diversity either: their samples sit in "
            "one mode that is pulled to and fro.",
            all_hold(claims, "largest of per-round", "largest of alternate"),
        ),
        (
            "Without curation the loop is not at rest but wanders; with N candidates the logarithm "
            "of a variance moves by about sqrt(2 T / N) in T rounds.",
            True,
        ),
    )


EXPERIMENT = Experiment(
    name="E9",
    title="Baselines: other ways to retrain on one's own output",
    claim="Only a reward drawn for every draw keeps the variance of both rewards; a weighted sum "
    "settles on one compromise mode, best-of-K collapses fastest, no curation drifts slowly.",
    source="paper, section C.8 names baselines only; arms, order and thresholds ours",
    study=study,
    judge=judge_e9,
    draw=draw,
    table=table,
    remarks=remarks,
)
