"""E6: how many candidates a pool needs until it acts like an infinite one (paper, figure 11)."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import runs_over
from flows.experiment import Block, Experiment, Frame, Study, curves, last_values
from flows.gmm import paper
from tasks.claims import Claim, judge
from tasks.intervals import mean_interval
from tasks.panels import band, new_figure, theory_line
from theory.limits import finite_pool_share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
SIZES = (2, 4, 8, 16, 32, 64, 128)
LARGE = tuple(size for size in SIZES if size >= 16)
POOL = "selection.pool_size"
FINITE, INFINITE = "fresh", "all"
# Rounds from here on are compared; the two components exist from round 5 on.
SETTLED = 15


def study(quick: bool) -> Study:
    """Pools of 2 to 128 fresh candidates and the whole set, q = .5 and .7, 20 seeds (quick 5)."""
    shares, seeds = (0.5, 0.7), range(5 if quick else 20)
    return Study(
        "pool-size",
        paper(),
        (
            Block(
                {"q": shares, POOL: SIZES, "seed": seeds},
                FINITE,
                {"selection": {"scheme": "fresh"}},
            ),
            Block({"q": shares, POOL: (None,), "seed": seeds}, INFINITE),
        ),
    )


def late_means(frame: Frame, metric: str, q: float, size: int | None) -> FloatArray:  # (seeds,)
    """Mean of `metric` over the settled rounds, one number a run."""
    found = curves(frame, metric, q=q, **{POOL: size})
    return np.asarray(
        found[found.index >= SETTLED].mean(axis=0, skipna=False).to_numpy(), dtype=np.float64
    )


def deviation(first: FloatArray, second: FloatArray) -> float:
    """Distance of two means over seeds in standard errors of their difference (Welch)."""
    if len(first) < 2 or len(second) < 2:
        return float("nan")
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    apart = abs(first.mean() - second.mean())
    if error == 0:
        return float("inf") if apart > 0 else 0.0
    return float(apart / error)


def judge_e6(frame: Frame, study: Study) -> list[Claim]:
    """At q = .5 pools of 16 and more agree with all candidates; at q = .7 shares follow the map."""
    claims = []
    for name in study.base.reward_names:
        for kind in ("mean", "var"):
            metric = f"reward_{kind}.{name}"
            whole = late_means(frame, metric, 0.5, None)
            worst = [deviation(late_means(frame, metric, 0.5, size), whole) for size in LARGE]
            # All pools share seeds, so the true error of a difference is smaller than this one.
            label = f"q = .5: largest deviation of {metric}, K >= 16 from all, in standard errors"
            claims.append(judge(label, float(np.max(worst)), below=4.0))
    first = f"basin_mass.{study.base.reward_names[0]}"
    for size in (*SIZES, None):
        share = last_values(frame, first, q=0.7, **{POOL: size}).mean(skipna=False)
        off = abs(float(share) - finite_pool_share(0.7, size))
        claims.append(
            judge(f"q = .7, K = {size or 'all'}: |share - finite-pool limit|", off, below=0.05)
        )
    return claims


def draw(frame: Frame, study: Study) -> "Figure":
    """Mean and variance of r_1 over rounds at q = .5, and the share against K at q = .7."""
    figure, axes = new_figure(3)
    name = study.base.reward_names[0]
    for number, size in enumerate((2, 4, 16, 128, None)):
        for panel, kind in ((axes[0], "mean"), (axes[1], "var")):
            found = curves(frame, f"reward_{kind}.{name}", q=0.5, **{POOL: size})
            band(
                panel, found.index.to_numpy(), found.to_numpy().T,
                label=f"K = {size or 'all'}", colour=str(number),
            )  # fmt: skip
    values = runs_over(frame, f"basin_mass.{name}", POOL, SIZES, q=0.7)
    sizes = np.array(SIZES, dtype=np.float64)
    band(axes[2], sizes, values, label="measured", colour="pluralistic")
    theory_line(
        axes[2],
        sizes,
        np.array([finite_pool_share(0.7, size) for size in SIZES]),
        "finite-pool map",
    )
    axes[2].axhline(0.7, color="0.5", linewidth=0.8, linestyle=":")
    axes[2].set_xscale("log", base=2)
    axes[2].set_xlabel("pool size K (q = .7, dotted: K → ∞)")
    axes[2].set_ylabel("share of mode 1 at the end")
    for panel, kind in ((axes[0], "E"), (axes[1], "Var")):
        panel.set_xlabel("k of the model p_k (q = .5)")
        panel.set_ylabel(f"{kind}[{name}]")
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Share of mode 1 at q = .7 and Var[r_1] at q = .5 for every K."""
    name, rows = study.base.reward_names[0], []
    for size in (*SIZES, None):
        share = last_values(frame, f"basin_mass.{name}", q=0.7, **{POOL: size}).to_numpy()
        mean, low, high = mean_interval(share) if len(share) else (np.nan,) * 3
        rows.append(
            {
                "K": str(size or "all"),
                "share at q = .7": mean,
                "low": low,
                "high": high,
                "finite-pool limit": finite_pool_share(0.7, size),
                f"Var[{name}] at q = .5": float(
                    late_means(frame, f"reward_var.{name}", 0.5, size).mean()
                ),
            }
        )
    return pd.DataFrame(rows)


def remarks(frame: Frame, study: Study) -> list[str]:
    """Where the paper's reading is too simple."""
    return [
        "A small pool is not only noisier: at q = .7 it kills the minority. K = 2 leaves one mode "
        "for every q other than 1/2, and an interior limit needs 1/K < q < 1 - 1/K.",
        "The error of a finite pool falls like 1/K; sqrt(log K / K) (Lemma B.3) is an upper bound.",
        "At q = .5 all K >= 3 share one limit, which is why the curves of large pools coincide "
        "there; it does not show that K is large enough for other shares.",
    ]


EXPERIMENT = Experiment(
    name="E6",
    title="Finite pools of candidates",
    claim="Beyond a moderate pool size the dynamics cannot be told from K -> infinity.",
    source="paper, section C.8 and figure 11; sizes, tests and the q = .7 half ours",
    study=study,
    judge=judge_e6,
    draw=draw,
    table=table,
    remarks=remarks,
)
