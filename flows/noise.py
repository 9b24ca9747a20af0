"""`noise`: unsure judges, noise on the scores and flipped choices (ours)."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from flows.arms import least_variance, means_over, runs_over
from flows.domain import Plain
from flows.experiment import Block, Experiment, Frame, Study, last_values
from flows.gmm import paper
from tasks.claims import Claim, all_hold, judge, said
from tasks.panels import band, new_figure, one_legend, theory_line
from tasks.seed_values import largest_of, mean_of, ratio, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOISE, FLIPS = "selection.score_noise", "selection.flip_probability"
DEVIATIONS, CHANCES, WEIGHTS = (0.0, 0.5, 1.0, 2.0), (0.0, 0.1, 0.3), (0.5, 0.7)
WHOLE, SMALL = "whole-pool", "pool-of-16"
POOL: Plain = {"selection": {"scheme": "fresh", "pool_size": 16}}
NAMES = {WHOLE: "all 1000", SMALL: "K = 16"}


def study(quick: bool) -> Study:
    """Noise on scores, flips in two pools, at q = .5 and .7, with 20 seeds, 4 when quick."""
    shared: dict[str, Any] = {"q": WEIGHTS, "seed": range(4 if quick else 20)}
    return Study(
        "noise",
        paper(),
        (
            Block({NOISE: DEVIATIONS, FLIPS: (0.0,), **shared}, WHOLE),
            Block({NOISE: (0.0,), FLIPS: CHANCES[1:], **shared}, WHOLE),
            Block({NOISE: (0.0,), FLIPS: CHANCES, **shared}, SMALL, POOL),
        ),
    )


def flipped_share(q: float, flips: float) -> float:
    """Limit share of mode 1 in an infinite pool without leakage: (1 - f) q + f (1 - q).

    From W = (1 - f) sum_i pi_i u_i/E[u_i] + f sum_i pi_i u_i^-1/E[u_i^-1] on two atoms: a
    flipped draw of one reward takes the atom of the other.
    """
    return (1 - flips) * q + flips * (1 - q)


def effective_share(deviation: float, temperature: float) -> float:
    """Share of candidates that still count under noise s: (E w)^2 / E w^2 = exp(-(s/tau)^2).

    w = exp(s z / tau) of a Gaussian z multiplies every weight, independently of the candidate,
    and so leaves the update as it is in an infinite pool.
    """
    return float(np.exp(-((deviation / temperature) ** 2)))


def judge_noise(frame: Frame, study: Study) -> list[Claim]:
    """Shares, variances and spread against the undisturbed runs; thresholds ours."""
    first = f"basin_mass.{study.base.reward_names[0]}"
    claims = []
    for q in WEIGHTS:
        noisy = {"arm": WHOLE, "q": q, FLIPS: 0.0}
        shares = means_over(frame, first, NOISE, DEVIATIONS, **noisy)
        spread = means_over(frame, "entropy", NOISE, DEVIATIONS, **noisy)
        least = [
            mean_of(least_variance(frame, study, **{**noisy, NOISE: deviation}))
            for deviation in DEVIATIONS
        ]
        claims += [
            judge(
                f"q = {q:g}: largest |share - q| over score deviations",
                largest_of(np.abs(shares - q)),
                below=0.05,
            ),
            judge(
                f"q = {q:g}: min_i Var[r_i] at score deviation 2 / at 0",
                ratio(least[-1], least[0]),
                above=0.5,
            ),
            judge(
                f"q = {q:g}: entropy at score deviation 2 less that at 0, nats",
                float(spread[-1] - spread[0]),
                below=-0.5,
            ),
        ]
        flipped = {"q": q, NOISE: 0.0}
        small = means_over(frame, first, FLIPS, CHANCES, arm=SMALL, **flipped)
        claims.append(
            judge(
                f"q = {q:g}, flips .1, K = 16: |share - ((1 - f) q + f (1 - q))|",
                abs(float(small[1]) - flipped_share(q, 0.1)),
                below=0.05,
            )
        )
        wide = {
            arm: means_over(frame, "variance_total", FLIPS, CHANCES[1:], arm=arm, **flipped)
            for arm in (WHOLE, SMALL)
        }
        clean = mean_of(
            last_values(frame, "variance_total", **{**flipped, "arm": SMALL, FLIPS: 0.0})
        )
        claims += [
            judge(
                f"q = {q:g}, K = 16: total variance at flips .3 / at 0",
                ratio(float(wide[SMALL][1]), clean),
                above=2.0,
            ),
            judge(
                f"q = {q:g}, flips .1: total variance, all 1000 candidates / K = 16",
                ratio(float(wide[WHOLE][0]), float(wide[SMALL][0])),
                above=2.0,
            ),
        ]
    return claims


def draw(frame: Frame, study: Study) -> "Figure":
    """Shares, variance and spread against noise, and shares and variance against flips."""
    figure, axes = new_figure(5)
    first, variance = (
        f"{kind}.{study.base.reward_names[0]}" for kind in ("basin_mass", "reward_var")
    )
    for q in WEIGHTS:
        where = {"arm": WHOLE, "q": q, FLIPS: 0.0}
        label = f"q = {q:g}"
        for panel, metric in zip(axes, (first, variance, "entropy"), strict=False):
            values = runs_over(frame, metric, NOISE, DEVIATIONS, **where)
            band(panel, np.array(DEVIATIONS), values, label=label, colour=label)
        theory_line(axes[0], np.array(DEVIATIONS), np.full(len(DEVIATIONS), q), "K → ∞: q")
        chances = np.array(CHANCES)
        for arm in (SMALL, WHOLE):
            # Without noise and flips the whole pool's runs are those of the first three panels.
            where = {"arm": arm, "q": q, NOISE: 0.0}
            label = f"q = {q:g}, {NAMES[arm]}"
            values = runs_over(frame, first, FLIPS, CHANCES, **where)
            band(axes[3], chances, values, label=label, colour=label)
            values = runs_over(frame, "variance_total", FLIPS, CHANCES, **where)
            band(axes[4], chances, values, label=label, colour=label, logarithmic=True)
        theory = np.array([flipped_share(q, flips) for flips in CHANCES])
        theory_line(axes[3], chances, theory, "(1 - f) q + f (1 - q)")
    labels = ("share of mode 1", "Var[r_1], reward units²", "entropy, nats")
    for panel, text in zip(axes, (*labels, "share of mode 1", "total variance, x²"), strict=True):
        panel.set_ylabel(text)
    for panel in axes[:3]:
        panel.set_xlabel("deviation of score noise, reward units")
    for panel in axes[3:]:
        panel.set_xlabel("f, chance of a flipped draw")
    one_legend(axes[3:], columns=5)
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Every disturbance with the last model's share, variances, spread and distinct winners."""
    names, rows = study.base.reward_names, []
    metrics = (f"basin_mass.{names[0]}", *(f"reward_var.{name}" for name in names))
    metrics = (*metrics, "entropy", "variance_total", "distinct_winners")
    for block in study.blocks:
        levels = itertools.product(WEIGHTS, block.axes[NOISE], block.axes[FLIPS])
        for q, deviation, flips in levels:
            where = {"arm": block.arm, "q": q, NOISE: deviation, FLIPS: flips}
            row = {"pool": NAMES[block.arm or ""], "q": q, "deviation": deviation, "flips": flips}
            row["theory share"] = flipped_share(q, flips)
            cells = {one: with_interval(last_values(frame, one, **where)) for one in metrics}
            rows.append(row | cells)
    return pd.DataFrame(rows)


def remarks(frame: Frame, study: Study) -> list[str]:
    """What noise does, and where flips leave the theory; what was measured is said where it was."""
    claims, kept = judge_noise(frame, study), effective_share(2.0, study.base.selection.temperature)
    first = f"basin_mass.{study.base.reward_names[0]}"
    moved = largest_of(
        [
            np.ptp(
                means_over(frame, first, NOISE, DEVIATIONS, **{"arm": WHOLE, "q": q, FLIPS: 0.0})
            )
            for q in WEIGHTS
        ]
    )
    return said(
        (
            "Only draws and retraining move a share, and with common seeds the same draws are "
            f"decided by r_1: over all score deviations its mean differs by at most {moved:.2g}.",
            not np.isnan(moved),
        ),
        (
            "Noise on scores is independent of the candidate, so it leaves the infinite-pool "
            "update alone; it acts as a smaller sample, of which at deviation 2 only "
            f"exp(-4) = {kept:.3f} counts.",
            True,
        ),
        (
            "Shares keep q, but the smaller sample costs spread within the modes.",
            all_hold(claims, "largest |share - q|", "entropy at score deviation 2"),
        ),
        (
            "A flipped label shares out the other way round, (1 - f) q + f (1 - q).",
            True,
        ),
        (
            "No mode dies of flips .1 with pools of 16.",
            all_hold(claims, "flips .1, K = 16"),
        ),
        (
            "A flipped draw seeks the worst score, and quadratic rewards have no worst: E[u^-1] is "
            "infinite for a variance above tau / (2 gamma). This is a property of unbounded "
            "rewards, not of the number of rewards; the limit above describes small f and small "
            "pools only.",
            True,
        ),
        (
            "Flips make the modes run away from both centres, the faster the larger the pool.",
            all_hold(claims, "total variance at flips .3", "flips .1: total variance"),
        ),
        (
            "A flip is -r instead of r, the flipped label of a pair for K = 2; in larger pools it "
            "is the harsher choice of the worst of K.",
            True,
        ),
    )


EXPERIMENT = Experiment(
    name="noise",
    title="Noisy scores and flipped preferences",
    claim="Shares keep q and the variance persists under noisy scores; flipped labels move shares "
    "towards one half, and under unbounded rewards push the modes outwards.",
    source="asked beyond the paper; levels, pools and thresholds ours",
    study=study,
    judge=judge_noise,
    draw=draw,
    table=table,
    remarks=remarks,
)
