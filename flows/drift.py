"""`drift`: preferences that change during the run, and how far behind the model is (ours)."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.domain import Plain
from flows.experiment import Block, Experiment, Frame, Study, curves, last_values
from flows.gmm import paper
from tasks.claims import Claim, all_hold, judge, said
from tasks.crossings import first_crossing, mean_lag
from tasks.panels import PALETTE, band, new_figure, one_legend, theory_line
from tasks.seed_values import largest_of, least_of, mean_of, median_of, with_interval
from tasks.settings import RunConfig, parse_config

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
ITERATIONS, BEGIN, END = 50, 15, 35
LOW, HIGH = 0.2, 0.8
DISTANCES = (2.0, 3.0, 6.0)
RAMP, STEP, RETURN = "ramp", "step", "return"
TITLES = {
    RAMP: f"ramp: q from {LOW:g} to {HIGH:g}",
    STEP: f"step: q from {LOW:g} to {HIGH:g}",
    RETURN: f"return: q from 0 to {HIGH:g}",
}


def knots(*points: tuple[int, float]) -> Plain:
    """A schedule through points (iteration, q)."""
    return {
        "weight_schedule": [{"iteration": t, "weights": [q, 1 - q]} for t, q in points],
    }


ARMS = {
    RAMP: knots((BEGIN, LOW), (END, HIGH)),
    STEP: knots((BEGIN - 1, LOW), (BEGIN, HIGH)),
    RETURN: knots((BEGIN - 1, 0.0), (BEGIN, HIGH)),
}


def study(quick: bool) -> Study:
    """Three schedules at three distances with 20 seeds, 5 when quick, over 50 iterations."""
    base = paper().model_copy(update={"iterations": ITERATIONS})
    axes = {"distance": DISTANCES, "seed": range(5 if quick else 20)}
    return Study("drift", base, tuple(Block(axes, arm, changes) for arm, changes in ARMS.items()))


def schedule(study: Study, arm: str) -> FloatArray:  # (T + 1,)
    """q in iteration t = 0 .. T; the model p_k is compared with q at t = k."""
    config: RunConfig = parse_config(study.base.model_dump(mode="json") | ARMS[arm])
    return np.array([config.weights_at(t)[0] for t in range(config.iterations + 1)])


def shares(frame: Frame, study: Study, **where: Any) -> pd.DataFrame:
    """Mass nearest to mode 1 over k (rows) of every run (columns), NaN where missing."""
    found = curves(frame, f"basin_mass.{study.base.reward_names[0]}", **where)
    return found.reindex(range(study.base.iterations + 1))


def lags(frame: Frame, study: Study, arm: str, distance: float) -> FloatArray:  # (runs,)
    """Iterations by which each run's share is behind q.

    Along the ramp the mean horizontal distance from k = 16 on, where a share that is one late
    has begun to move, to k = 35; for the others the distance of the crossings of one half,
    infinite for a run that never crosses it.
    """
    found, q = shares(frame, study, arm=arm, distance=distance), schedule(study, arm)
    if arm == RAMP:
        rows = slice(BEGIN + 1, END + 1)
        slope = (HIGH - LOW) / (END - BEGIN)
        return np.array([mean_lag(found[run].to_numpy()[rows], q[rows], slope) for run in found])
    switch = first_crossing(q, 0.5, start=BEGIN - 1)
    return np.array([first_crossing(found[run], 0.5, start=BEGIN - 1) - switch for run in found])


def judge_drift(frame: Frame, study: Study) -> list[Claim]:
    """Lags against the one iteration of retraining, and the lateness of a mode that was gone."""
    found = {(arm, d): lags(frame, study, arm, d) for arm in ARMS for d in DISTANCES}
    first = f"basin_mass.{study.base.reward_names[0]}"
    claims = [
        judge(
            f"ramp, d = {d:g}: mean lag, iterations",
            mean_of(found[RAMP, d]),
            above=0.5,
            below=1.5,
        )
        for d in DISTANCES
    ]
    claims += [
        judge(
            f"step, d = {d:g}: largest |lag - 1|, iterations",
            largest_of(np.abs(found[STEP, d] - 1)),
            below=0.5,
        )
        for d in DISTANCES
    ]
    for arm in (RAMP, STEP):
        settled = [mean_of(last_values(frame, first, arm=arm, distance=d)) for d in DISTANCES]
        off = np.abs(np.array(settled) - HIGH)
        claims.append(judge(f"{arm}: largest |share - .8| at the end", largest_of(off), below=0.05))
    claims += [
        judge(f"return, d = {d:g}: least lag, iterations", least_of(found[RETURN, d]), above=3.0)
        for d in DISTANCES
    ]
    far = found[RETURN, DISTANCES[-1]]
    back = mean_of(np.where(np.isnan(far), np.nan, np.isfinite(far)))
    label = f"return, d = {DISTANCES[-1]:g}: share of runs back by k = {ITERATIONS}"
    return [*claims, judge(label, back, above=0.5)]


def draw(frame: Frame, study: Study) -> "Figure":
    """Share of mode 1 over iterations under every schedule, and the lags against distance."""
    figure, axes = new_figure(4, columns=2)
    for panel, arm in zip(axes, ARMS, strict=False):
        for number, d in enumerate(DISTANCES):
            found = shares(frame, study, arm=arm, distance=d)
            x, values = found.index.to_numpy(), found.to_numpy()
            if arm == RETURN:  # each run comes back at its own time: a mean would show none
                panel.plot(x, values, color=PALETTE[number], linewidth=0.7, alpha=0.7)
            else:
                band(panel, x, values.T, label=f"d = {d:g}", colour=f"d = {d:g}")
        q = schedule(study, arm)
        theory_line(panel, np.arange(1.0, len(q)), q[:-1], "theory: q one iteration ago")
        panel.set_title(TITLES[arm], fontsize=10)
        panel.set_xlabel("k of the model p_k")
        panel.set_ylabel("mass nearest to mode 1")
        panel.set_ylim(-0.02, 1.02)
    axes[2].set_title(f"{TITLES[RETURN]}, every run", fontsize=10)
    for arm in ARMS:
        behind = [lags(frame, study, arm, d) for d in DISTANCES]
        # Seeds that never crossed have no finite lag: the median is drawn, it may be missing.
        middle = np.array([[median_of(one) for one in behind]])
        if arm != RETURN:
            middle = np.array(behind).T
        band(axes[3], np.array(DISTANCES), middle, label=arm, colour=arm, logarithmic=arm == RETURN)
    theory_line(axes[3], np.array(DISTANCES), np.ones(len(DISTANCES)), "theory: 1")
    axes[3].set_xlabel("distance d of the reward centres")
    axes[3].set_ylabel("lag behind q, iterations (return: median)")
    axes[3].set_yscale("log")
    one_legend(axes[:3], columns=4)
    axes[3].legend(frameon=False, fontsize=8, loc="center right")
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Lag with its 95 % interval over seeds, its range, and the share at the end."""
    first, rows = f"basin_mass.{study.base.reward_names[0]}", []
    for arm in ARMS:
        for d in DISTANCES:
            found = lags(frame, study, arm, d)
            rows.append(
                {
                    "schedule": TITLES[arm],
                    "d": d,
                    "lag, iterations": with_interval(found),
                    "least": least_of(found),
                    "largest": largest_of(found),
                    "share at the end": with_interval(
                        last_values(frame, first, arm=arm, distance=d)
                    ),
                }
            )
    return pd.DataFrame(rows)


def remarks(frame: Frame, study: Study) -> list[str]:
    """What the lag consists of; what was measured is said where it was."""
    far = lags(frame, study, RETURN, DISTANCES[-1])
    back, late = far[np.isfinite(far)], all_hold(judge_drift(frame, study), "return, d =")
    spread = f"{least_of(back):.3g} to {largest_of(back):.3g}" if back.size else "no"
    name = f"basin_mass.{study.base.reward_names[0]}"
    near = mean_of(last_values(frame, name, arm=STEP, distance=DISTANCES[0]))
    return said(
        (
            "With infinitely many candidates and no leakage the curated share equals q of the same "
            "iteration, and p_{k+1} is trained on iteration k: the lag is the 1 of retraining as "
            "long as both modes are alive, whatever the speed of the change.",
            True,
        ),
        (
            "A mode that nobody asked for is gone and has to be grown anew from the tail of the "
            "other. Every round without it adds 2 gamma / tau to 1/s^2, and that narrow spread is "
            "all its reward can choose from.",
            True,
        ),
        (
            f"How late it is differs from seed to seed: at d = {DISTANCES[-1]:g} {back.size} of "
            f"{far.size} runs came back, {spread} iterations late; one that is not back by the end "
            "counts as never.",
            late and not np.isnan(far).any(),
        ),
        (
            f"At d = {DISTANCES[0]:g}, near the transition at d = sqrt(2), modes overlap and the "
            f"share after the step ends at {near:.3g}, above q = {HIGH:g}: leakage over-shoots the "
            "majority.",
            near > HIGH,
        ),
    )


EXPERIMENT = Experiment(
    name="drift",
    title="Preferences that change during the run",
    claim="The share follows a changing q one iteration late while both modes live; a mode that "
    "had gone comes back late.",
    source="asked beyond the paper; schedules, distances and thresholds ours",
    study=study,
    judge=judge_drift,
    draw=draw,
    table=table,
    remarks=remarks,
)
