"""E1: plural curation keeps both modes, single-reward curation collapses (paper, figure 2)."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flows.experiment import Block, Experiment, Frame, Study, curves, last_values
from flows.gmm import paper
from tasks.claims import E1_COLLAPSED, E1_VARIANCE, E1_WEIGHTS, Claim, judge
from tasks.geometry import two_modes
from tasks.panels import band, new_figure, theory_line
from tasks.predictions import closed_forms
from tasks.settings import parse_config

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLURAL, SINGLE = "pluralistic", "single"


def study(quick: bool) -> Study:
    """Both arms with 20 seeds, 5 when quick."""
    seeds = {"seed": range(5 if quick else 20)}
    return Study(
        "plurality",
        paper(),
        (Block(seeds, PLURAL, {"q": 0.5}), Block(seeds, SINGLE, {"q": 1.0})),
    )


def judge_plurality(frame: Frame, study: Study) -> list[Claim]:
    """Thresholds of `run gmm` for the worst seed of all (thresholds ours)."""
    modes = two_modes(study.base)
    assert modes is not None
    unit = 0.25 * modes.gamma**2 * modes.distance**4
    claims = []
    for name in study.base.reward_names:
        values = last_values(frame, f"reward_var.{name}", arm=PLURAL) / unit
        claims.append(
            judge(
                f"least Var[{name}] / (gamma^2 d^4 / 4), plural",
                values.min(skipna=False),
                above=E1_VARIANCE,
            )
        )
    for number in range(2):
        weights = last_values(frame, f"component_weight.{number}", arm=PLURAL)
        claims += [
            judge(
                f"least weight of component {number}, plural",
                weights.min(skipna=False),
                above=E1_WEIGHTS[0],
            ),
            judge(
                f"largest weight of component {number}, plural",
                weights.max(skipna=False),
                below=E1_WEIGHTS[1],
            ),
        ]
    first = f"reward_var.{study.base.reward_names[0]}"
    single = last_values(frame, first, arm=SINGLE).max(skipna=False)
    plural = last_values(frame, first, arm=PLURAL).min(skipna=False)
    ratio = single / plural if plural > 0 else np.nan
    return [*claims, judge("largest Var[r_1] single / least plural", ratio, below=E1_COLLAPSED)]


def draw(frame: Frame, study: Study) -> "Figure":
    """Mean and variance of r_1 over iterations, both arms, with the theory's curve."""
    modes = two_modes(study.base)
    assert modes is not None
    unit = modes.gamma**2 * modes.distance**4 / 4
    figure, axes = new_figure(2)
    name = study.base.reward_names[0]
    for arm, q in ((PLURAL, 0.5), (SINGLE, 1.0)):
        config = parse_config(study.base.model_dump(mode="json") | {"q": q})
        for panel, kind, scale in ((axes[0], "mean", 1.0), (axes[1], "var", unit)):
            metric = f"reward_{kind}.{name}"
            measured = curves(frame, metric, arm=arm) / scale
            band(panel, measured.index.to_numpy(), measured.to_numpy().T, label=arm, colour=arm)
            predicted = [
                next(one.predicted for one in closed_forms(config, k) if one.quantity == metric)
                for k in measured.index
            ]
            theory_line(panel, measured.index.to_numpy(), np.array(predicted) / scale, "theory")
    axes[0].set_ylabel(f"E[{name}]")
    axes[1].set_ylabel(f"Var[{name}] / (gamma² d⁴ / 4)")
    axes[1].set_yscale("log")
    for panel in axes:
        panel.set_xlabel("k of the model p_k")
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Mean of the last model's moments and shares in either arm."""
    names = study.base.reward_names
    metrics = [f"reward_{kind}.{name}" for name in names for kind in ("mean", "var")]
    metrics += [f"basin_mass.{name}" for name in names]
    rows = [
        {"arm": arm}
        | {one: float(last_values(frame, one, arm=arm).mean(skipna=False)) for one in metrics}
        for arm in (PLURAL, SINGLE)
    ]
    return pd.DataFrame(rows)


EXPERIMENT = Experiment(
    name="E1",
    title="Plural against single-reward curation",
    claim="With two rewards drawn per curated draw both modes and both reward variances persist; "
    "with one reward the model collapses.",
    source="paper, section 4.1 and figure 2; thresholds ours",
    study=study,
    judge=judge_plurality,
    draw=draw,
    table=table,
)
