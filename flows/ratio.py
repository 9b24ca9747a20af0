"""`ratio`: does diversity follow the share of real data or the curation? (ours)"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import NO_CURATION, least_variance, means_over, runs_over
from flows.domain import Plain
from flows.experiment import Block, Experiment, Frame, Study, last_values
from flows.gmm import paper
from generators.mixture import MixtureInitial
from tasks.claims import Claim, all_hold, judge, said
from tasks.geometry import two_modes
from tasks.panels import band, new_figure, one_legend, theory_line
from tasks.rank import spearman
from tasks.seed_values import largest_of, least_of, mean_of, ratio, with_interval
from theory.limits import quadratic_limit, quadratic_reward_moments

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
SHARE = "training.real_share"
SHARES = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)
ONE, BALANCED, NOTHING = "one-reward", "balanced", "no-curation"
ARMS: dict[str, Plain] = {
    ONE: {"q": 1.0},
    BALANCED: {},
    NOTHING: NO_CURATION,
}
WEIGHTS = {ONE: 1.0, BALANCED: 0.5}  # q of the arms that curate


def study(quick: bool) -> Study:
    """Six shares of real data in three arms with 20 seeds, 10 when quick."""
    axes = {SHARE: SHARES, "seed": range(10 if quick else 20)}
    blocks = tuple(Block(axes, arm, changes) for arm, changes in ARMS.items())
    return Study("real-share", paper(), blocks)


def forecast(study: Study, arm: str, share: float) -> tuple[float, float]:
    """E[r_1] and Var[r_1] if a share f of p is as the real data and the rest at the arm's limit.

    Var = (1 - f) V_limit + f V_real + f (1 - f) (E_limit - E_real)^2. It takes the winners as
    narrow as without real data, which an infinite pool makes of them.
    """
    modes, initial = two_modes(study.base), study.base.initial
    assert modes is not None
    assert isinstance(initial, MixtureInitial)
    limit = quadratic_limit(
        WEIGHTS[arm], modes.distance, modes.gamma, study.base.selection.temperature
    )
    real_mean, real_variance = quadratic_reward_moments(
        modes.frame @ (np.array(initial.mean) - modes.midpoint),
        modes.frame @ np.array(initial.covariance) @ modes.frame.T,
        np.array([-modes.distance / 2, 0.0]),
        modes.gamma,
    )
    mean, variance = float(limit.reward_means[0]), float(limit.reward_variances[0])
    mixed = (1 - share) * variance + share * real_variance
    return (
        (1 - share) * mean + share * real_mean,
        mixed + share * (1 - share) * (mean - real_mean) ** 2,
    )


def forecast_error(frame: Frame, study: Study, arm: str) -> float:
    """Largest |mean Var[r_1] / forecast - 1| over the shares between 0 and 1."""
    measured = means_over(frame, f"reward_var.{study.base.reward_names[0]}", SHARE, SHARES, arm=arm)
    inner = [(f, value) for f, value in zip(SHARES, measured, strict=True) if 0 < f < 1]
    return largest_of([abs(value / forecast(study, arm, f)[1] - 1) for f, value in inner])


def judge_ratio(frame: Frame, study: Study) -> list[Claim]:
    """Both causes apart: curation at one share, the share in one arm; thresholds ours."""

    def trend(metric: str, arm: str) -> float:
        return spearman(np.array(SHARES), means_over(frame, metric, SHARE, SHARES, arm=arm))

    runs = {
        (arm, f): least_variance(frame, study, **{"arm": arm, SHARE: f})
        for arm in ARMS
        for f in SHARES
    }
    least = {arm: np.array([mean_of(runs[arm, f]) for f in SHARES]) for arm in ARMS}
    partial = [ratio(a, b) for a, b in zip(least[BALANCED][:-1], least[ONE][:-1], strict=True)]
    kept = ratio(least_of(runs[BALANCED, 0.0]), largest_of(runs[ONE, 0.0]))
    steady = ratio(largest_of(least[NOTHING]), least_of(least[NOTHING]))
    rising = spearman(np.array(SHARES[:-1]), least[ONE][:-1])
    falling = spearman(np.array(SHARES), least[BALANCED])
    worth = trend(f"reward_mean.{study.base.reward_names[0]}", ONE)
    least_name = "min_i Var[r_i]"
    claims = [
        judge(f"f = 0: least {least_name} of balanced / largest of one-reward", kept, above=10.0),
        judge(f"f < 1: least {least_name} of balanced / one-reward", least_of(partial), above=2.0),
        judge(f"one-reward: Spearman of {least_name} with f <= .5", rising, above=0.9),
        judge(f"balanced: Spearman of {least_name} with f", falling, below=-0.9),
        judge(f"no-curation: largest / least mean {least_name} over f", steady, below=1.5),
        judge("one-reward: Spearman of E[r_1] with f", worth, below=-0.9),
    ]
    for arm in WEIGHTS:
        tails = means_over(frame, "tail_coverage", SHARE, SHARES, arm=arm)
        off = spearman(np.array(SHARES), np.abs(tails - 1))
        error, distance = forecast_error(frame, study, arm), trend("real_distance", arm)
        claims += [
            judge(f"{arm}: Spearman of entropy with f", trend("entropy", arm), above=0.8),
            judge(f"{arm}: Spearman of distance to the real data with f", distance, below=-0.9),
            judge(f"{arm}: Spearman of |tail coverage - 1| with f", off, below=-0.9),
            judge(f"{arm}: largest |Var[r_1] / forecast - 1|, 0 < f < 1", error, below=0.2),
        ]
    return claims


def draw(frame: Frame, study: Study) -> "Figure":
    """Quality, distance, diversity and tail coverage at the end against the share of real data."""
    figure, axes = new_figure(5)
    first = study.base.reward_names[0]
    shown = (
        (f"reward_mean.{first}", f"quality: E[{first}], reward units"),
        (f"reward_var.{first}", f"diversity: Var[{first}], reward units²"),
        ("entropy", "diversity: entropy, nats"),
        ("real_distance", "W2 distance to real data, as x"),
        ("tail_coverage", "tail coverage (1: as p_0)"),
    )
    places = np.array(SHARES)
    for number, (panel, (metric, label)) in enumerate(zip(axes, shown, strict=True)):
        for arm in ARMS:
            values = runs_over(frame, metric, SHARE, SHARES, arm=arm)
            band(panel, places, values, label=arm, colour=arm)
            if number < 2 and arm in WEIGHTS:
                fine = np.linspace(0, 1, 101)
                curve = np.array([forecast(study, arm, float(f))[number] for f in fine])
                theory_line(panel, fine, curve, "(1 - f) limit + f real")
        panel.set_xlabel("f, share of real rows in the training set")
        panel.set_ylabel(label)
    one_legend(axes, columns=4)
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm and share with all four sides of the last model."""
    names, rows = study.base.reward_names, []
    metrics = [f"reward_{kind}.{name}" for kind in ("mean", "var") for name in names]
    metrics += ["entropy", "variance_total", "real_distance", "tail_coverage"]
    for arm in ARMS:
        for share in SHARES:
            where = {"arm": arm, SHARE: share}
            cells = {one: with_interval(last_values(frame, one, **where)) for one in metrics}
            rows.append({"arm": arm, "f": share} | cells)
    return pd.DataFrame(rows)


def remarks(frame: Frame, study: Study) -> list[str]:
    """The answer in words where it was measured, and what the measures do not say."""
    claims, first = judge_ratio(frame, study), study.base.reward_names[0]
    highest = mean_of(last_values(frame, "tail_coverage", **{"arm": ONE, SHARE: 0.0}))
    means = means_over(frame, f"reward_mean.{first}", SHARE, SHARES, arm=BALANCED)
    return said(
        (
            "Diversity of the rewards, min_i Var[r_i], follows both in opposite ways: with one "
            "reward only real data keeps any, under balanced curation the curation does and real "
            "data dilutes it.",
            all_hold(claims, "f = 0: least", "f < 1: least", "Spearman of min_i"),
        ),
        (
            "In between a model is close to (1 - f) of the arm's limit plus f of the real data, "
            "drawn dashed.",
            all_hold(claims, "forecast - 1|"),
        ),
        (
            "Entropy, the spread around each mode, follows the share in both arms. So the answer "
            "depends on the measure: modes are kept by the curation, the spread within by real "
            "data.",
            all_hold(claims, "f = 0: least", "Spearman of entropy"),
        ),
        (
            "Tail coverage does not rise with f under curation, it falls to 1: curation moves mass "
            f"into what was p_0's tail. One reward alone, at f = 0, has {highest:.3g} of at most "
            "20. Read it as distance from p_0's body.",
            all_hold(claims, "Spearman of |tail coverage - 1|") and not np.isnan(highest),
        ),
        (
            "E[r_1] of balanced rises with f, since half of its samples serve the other reward and "
            "the real data lies between the centres: a mean reward is no measure of plural "
            "quality.",
            spearman(np.array(SHARES), means) > 0.9,
        ),
        (
            "At f = 1 nothing that is curated is trained on, so curated arms are equal there.",
            True,
        ),
    )


EXPERIMENT = Experiment(
    name="ratio",
    title="Share of real data against curation",
    claim="Without real data plural curation keeps diversity and one reward does not; real data "
    "replaces what curation lost, and dilutes what it kept.",
    source="asked beyond the paper; arms, shares and thresholds ours",
    study=study,
    judge=judge_ratio,
    draw=draw,
    table=table,
    remarks=remarks,
)
