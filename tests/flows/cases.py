"""Tidy frames of measurements made from the theory's own numbers, for tests of the judges."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flows.e8 import PAIRS
from flows.experiment import Experiment, Frame, Study, find_experiment
from flows.forecast import predicted
from flows.reproduce import judged
from flows.transition import GAMMAS, ORDER
from tasks.claims import Claim
from theory.limits import finite_pool_share, order_parameter, quadratic_limit

# A few models are enough: the first, two settled ones and the last.
MODELS = (0, 15, 20, 30)
FIRST, SECOND = "quadratic-1", "quadratic-2"
POOL = "selection.pool_size"
# Value of every metric of the last models of a run, from its arm and its axes.
Law = Callable[[str, Mapping[str, Any]], Mapping[str, float]]


def frame_of(study: Study, law: Law, noise: float = 1e-3) -> Frame:
    """The frame `law` gives for every run of `study`, with relative noise of its own a run."""
    rng = np.random.default_rng(7)
    keys = [key for key in study.blocks[0].axes if key != "seed"]
    rows: list[tuple[Any, ...]] = []
    for block in study.blocks:
        for values in itertools.product(*block.axes.values()):
            axes = dict(zip(block.axes, values, strict=True))
            arm = block.arm or ""
            run = "-".join([arm, *(f"{key}{value}" for key, value in axes.items())])
            shown = [np.nan if axes[key] is None else float(axes[key]) for key in keys]
            for metric, value in law(arm, axes).items():
                for k in MODELS:
                    off = value * (1 + noise * rng.standard_normal())
                    rows.append((run, arm, axes["seed"], *shown, k, metric, off))
    return pd.DataFrame(rows, columns=["run", "arm", "seed", *keys, "k", "metric", "value"])


def plurality(arm: str, axes: Mapping[str, Any]) -> dict[str, float]:
    """E1: two equal modes at distance 6, or one point at the first centre."""
    limit = quadratic_limit(0.5 if arm == "pluralistic" else 1.0, 6, 1)
    variance = limit.reward_variances + 1e-3
    share = float(limit.shares[0])
    return _moments(limit.reward_means, variance) | _shares(share) | _weights(share)


def transition(arm: str, axes: Mapping[str, Any]) -> dict[str, float]:
    """E2, E7, E8: order parameter, variances and leakage of the infinite-pool limit at q = .5."""
    gamma, distance = GAMMAS[arm], axes["distance"]
    limit = quadratic_limit(0.5, distance, gamma)
    root = order_parameter(gamma * distance**2 / 2)
    half = distance / 2 * root
    # A little is left of the compromise in every finite sample.
    found = {ORDER: root**2 + 1e-4}
    found |= _moments(limit.reward_means, limit.reward_variances + 1e-4)
    found |= {"component_mean_x.0": -half, "component_mean_x.1": half}
    # One compromise mode, of no order, still has winners on both sides.
    eta = np.exp(-gamma * distance**2 * max(root, 0.3))
    return found | {f"leakage.{p}": eta / (1 + eta) for p in PAIRS}


def shares(arm: str, axes: Mapping[str, Any]) -> dict[str, float]:
    """E5: weight q of the first of two modes at distance 6."""
    q = axes["q"]
    limit = quadratic_limit(q, 6, 1)
    return _moments(limit.reward_means, limit.reward_variances) | _shares(q) | _weights(q)


def pools(arm: str, axes: Mapping[str, Any]) -> dict[str, float]:
    """E6: the share of the finite-pool map, moments of an infinite pool."""
    q = axes["q"]
    limit = quadratic_limit(q, 6, 1)
    share = finite_pool_share(q, axes[POOL])
    return _moments(limit.reward_means, limit.reward_variances) | _shares(share)


def foretold(study: Study) -> Law:
    """forecast: the forecast itself, looked up once a cell."""
    known: dict[tuple[float, int | None], float] = {}

    def law(arm: str, axes: Mapping[str, Any]) -> dict[str, float]:
        cell = (axes["q"], axes[POOL])
        if cell not in known:
            known[cell] = predicted(study, *cell)
        return _shares(known[cell])

    return law


def _moments(means: Any, variances: Any) -> dict[str, float]:
    found = {f"reward_mean.{name}": float(means[i]) for i, name in enumerate((FIRST, SECOND))}
    return found | {
        f"reward_var.{name}": float(variances[i]) for i, name in enumerate((FIRST, SECOND))
    }


def _shares(first: float) -> dict[str, float]:
    return {f"basin_mass.{FIRST}": first, f"basin_mass.{SECOND}": 1 - first}


def _weights(first: float) -> dict[str, float]:
    return {"component_weight.0": first, "component_weight.1": 1 - first}


@dataclass(frozen=True)
class Case:
    """An experiment, a study of it and the frame in which the theory is right."""

    experiment: Experiment
    study: Study
    frame: Frame

    def claims(self, frame: Frame) -> list[Claim]:
        """What `reproduce` would judge from this frame."""
        runs = int(self.frame["run"].nunique())
        return judged(self.experiment, frame, self.study, num_runs=runs)

    def verdicts(self, frame: Frame) -> dict[str, str]:
        """Verdict of every claim."""
        return {claim.claim: claim.verdict for claim in self.claims(frame)}


def case(name: str) -> Case:
    """The quick study of an experiment with its theoretical frame."""
    experiment = find_experiment(name)
    study = experiment.study(True)
    laws: dict[str, Law] = {
        "e1": plurality, "e2": transition, "e5": shares, "e6": pools, "e7": transition,
        "e8": transition,
    }  # fmt: skip
    return Case(experiment, study, frame_of(study, laws.get(name) or foretold(study)))


def changed(frame: Frame, metric: str, change: Callable[[Any], Any], **where: Any) -> Frame:
    """A copy of `frame` with `change` applied to these runs' metrics of this prefix."""
    rows = frame["metric"].str.startswith(metric)
    for column, value in where.items():
        rows &= frame[column].isna() if value is None else frame[column] == value
    assert rows.any(), f"{metric} {where}: nothing to change"
    copy = frame.copy()
    copy.loc[rows, "value"] = change(copy.loc[rows, "value"])
    return copy
