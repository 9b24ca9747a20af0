"""`capacity`: few components and few candidates against infinitely many of both (ours)."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import means_over, runs_over
from flows.experiment import Block, Experiment, Frame, Study, last_values
from flows.gmm import paper
from tasks.claims import Claim, all_hold, judge, said
from tasks.geometry import two_modes
from tasks.panels import band, new_figure, one_legend, theory_line
from tasks.seed_values import largest_of, least_of, mean_of, ratio, with_interval
from tasks.settings import parse_config
from theory.limits import QuadraticLimit, quadratic_limit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
POOL = "num_candidates"
SIZES = (16, 64, 250, 1000, 4000)
LARGE = SIZES[2:]
COMPONENTS = (1, 2, 4, 8)
Q = 0.7
ARMS = {
    f"components-{number}": {
        "generator": {"components": [[0, 1], [5, number]] if number > 1 else [[0, 1]]}
    }
    for number in COMPONENTS
}
ONE, *SEVERAL = ARMS


def study(quick: bool) -> Study:
    """Models of 1 to 8 components, pools of 16 to 4000 candidates, 1000 draws a round.

    q = .7; 20 seeds, 4 when quick. The number of draws, and so of training rows, stays, so that
    the pool alone changes.
    """
    base = parse_config(paper().model_dump(mode="json") | {"q": Q})
    axes = {POOL: SIZES, "seed": range(4 if quick else 20)}
    blocks = tuple(Block(axes, arm, changes) for arm, changes in ARMS.items())
    return Study("capacity", base, blocks)


def forecast(study: Study) -> QuadraticLimit:
    """Limit of the update with infinite capacity and infinitely many candidates."""
    modes = two_modes(study.base)
    assert modes is not None
    return quadratic_limit(modes.q, modes.distance, modes.gamma, study.base.selection.temperature)


def forecast_order(study: Study) -> float:
    """M^2 of that limit: 4 m_1 m_2 m*^2, the variance of two points at -+(d/2) m*."""
    limit = forecast(study)
    return float(4 * limit.shares.prod() * limit.order_parameter**2)


def deviation(frame: Frame, study: Study, **where: Any) -> float:
    """Root mean square over runs and rewards of Var[r_i] / forecast - 1."""
    limit = forecast(study)
    found = [
        last_values(frame, f"reward_var.{name}", **where).to_numpy() / limit.reward_variances[i] - 1
        for i, name in enumerate(study.base.reward_names)
    ]
    errors = np.concatenate(found) if all(map(len, found)) else np.array([np.nan])
    return float(np.sqrt(np.mean(errors**2)))


def judge_capacity(frame: Frame, study: Study) -> list[Claim]:
    """What two components and 250 candidates suffice for; thresholds ours."""
    first = f"basin_mass.{study.base.reward_names[0]}"
    claims, errors = [], {}
    for arm in ARMS:
        errors[arm] = {n: deviation(frame, study, **{"arm": arm, POOL: n}) for n in SIZES}
    for arm in SEVERAL:
        shares = means_over(frame, first, POOL, SIZES[1:], arm=arm)
        orders = means_over(frame, "order_parameter_squared", POOL, LARGE, arm=arm)
        off = np.abs(orders - forecast_order(study))
        claims += [
            judge(
                f"{arm}: largest |share - q|, N from 64", largest_of(np.abs(shares - Q)), below=0.05
            ),
            judge(f"{arm}: largest |M^2 - forecast|, N from 250", largest_of(off), below=0.1),
            judge(
                f"{arm}: largest deviation of Var[r_i], N from 250",
                largest_of([errors[arm][n] for n in LARGE]),
                below=0.15,
            ),
            judge(
                f"{arm}: deviation of Var[r_i] at N = 16 / at N = 4000",
                ratio(errors[arm][16], errors[arm][4000]),
                above=2.0,
            ),
        ]
    one = least_of([errors[ONE][n] for n in LARGE])
    claims.append(judge(f"{ONE}: least deviation of Var[r_i], N from 250", one, above=0.3))
    return claims


def draw(frame: Frame, study: Study) -> "Figure":
    """Share, order parameter, variance and spread against the number of candidates."""
    figure, axes = new_figure(4, columns=2)
    name, limit = study.base.reward_names[0], forecast(study)
    shown = (
        (f"basin_mass.{name}", "share of mode 1", float(limit.shares[0])),
        ("order_parameter_squared", "order parameter M²", forecast_order(study)),
        (
            f"reward_var.{study.base.reward_names[1]}",
            "Var[r_2], reward units²",
            float(limit.reward_variances[1]),
        ),
        ("entropy", "differential entropy, nats", None),
    )
    sizes = np.array(SIZES, dtype=np.float64)
    for panel, (metric, label, predicted) in zip(axes, shown, strict=True):
        for arm in ARMS:
            values = runs_over(frame, metric, POOL, SIZES, arm=arm)
            band(panel, sizes, values, label=arm.replace("-", ": "), colour=arm)
        if predicted is not None:
            theory_line(panel, sizes, np.full(len(sizes), predicted), "infinite capacity")
        panel.set_xscale("log")
        panel.set_xlabel("N, candidates in the pool")
        panel.set_ylabel(label)
    one_legend(axes, columns=5)
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every model and pool beside the forecast of infinite capacity."""
    names, limit, rows = study.base.reward_names, forecast(study), []
    metrics = [f"basin_mass.{names[0]}", "order_parameter_squared"]
    metrics += [f"reward_var.{name}" for name in names]
    values = (limit.shares[0], forecast_order(study), *limit.reward_variances)
    predicted = {one: f"{value:.4g}" for one, value in zip(metrics, values, strict=True)}
    rows.append({"model": "forecast", "N": "infinite", **predicted, "deviation of Var": 0.0})
    for arm in ARMS:
        for size in SIZES:
            where = {"arm": arm, POOL: size}
            cells = {one: with_interval(last_values(frame, one, **where)) for one in metrics}
            error = deviation(frame, study, **where)
            rows.append({"model": arm, "N": str(size), **cells, "deviation of Var": error})
    return pd.DataFrame(rows)


def remarks(frame: Frame, study: Study) -> list[str]:
    """What capacity and candidates each decide; what was measured is said where it was."""
    claims, first = judge_capacity(frame, study), f"basin_mass.{study.base.reward_names[0]}"
    shares = last_values(frame, first, **{"arm": SEVERAL[0], POOL: SIZES[0]}).to_numpy()
    gone, runs = int(np.sum((shares == 0) | (shares == 1))), shares.size
    wide = {"arm": ONE, POOL: SIZES[-1]}
    order = mean_of(last_values(frame, "order_parameter_squared", **wide))
    share = mean_of(last_values(frame, first, **wide))
    spread = [
        mean_of(last_values(frame, "entropy", **{"arm": arm, POOL: size}))
        for size in (LARGE[0], LARGE[-1])
        for arm in (SEVERAL[0], SEVERAL[-1])
    ]
    few, many, few_wide, many_wide = spread
    return said(
        (
            "Shares need no capacity beyond two components and few candidates: they are set by the "
            "draws as long as a candidate of either mode is there.",
            all_hold(claims, "largest |share - q|"),
        ),
        (
            "Among 16 candidates the minority is absent with chance .7^16 a round, and stays away: "
            f"with {SEVERAL[0]} {gone} of {runs} runs lost it.",
            runs > 0 and not np.isnan(shares).any(),
        ),
        (
            "What few candidates spoil first is the place of the modes, which freeze before they "
            "arrive, because each round can only choose among the points it has, and hence "
            "Var[r_i].",
            all_hold(claims, "at N = 16 / at N = 4000"),
        ),
        (
            "One component cannot hold two modes: it stretches over both. With "
            f"{SIZES[-1]} candidates its M^2 is {order:.3g} beside {forecast_order(study):.3g} and "
            f"its share {share:.3g} beside {Q:g}, both moments of a wide Gaussian; its Var[r_i] "
            "gives it away.",
            all_hold(claims, f"{ONE}: least deviation") and not np.isnan(order + share),
        ),
        (
            "More components than modes change neither shares nor M^2 nor Var[r_i] for N from 250.",
            all_hold(claims, *(f"{arm}: largest" for arm in SEVERAL)),
        ),
        (
            f"More components keep less spread: entropy {few:.3g} nats with {SEVERAL[0]} and "
            f"{many:.3g} with {SEVERAL[-1]} at N = {LARGE[0]}, {few_wide:.3g} and {many_wide:.3g} "
            f"at N = {LARGE[-1]}.",
            many < few,
        ),
        (
            "The pool is the number of candidates N; draws and training rows stay 1000 a round.",
            True,
        ),
    )


EXPERIMENT = Experiment(
    name="capacity",
    title="Finite capacity and finite pools",
    claim="Two components and some hundred candidates reach the infinite-capacity limit; one "
    "component or a few candidates do not.",
    source="asked beyond the paper; sizes and thresholds ours",
    study=study,
    judge=judge_capacity,
    draw=draw,
    table=table,
    remarks=remarks,
)
