"""E4: GPT-2 under two length preferences at growing distance (paper, section C.6)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.class_arms import gap
from flows.experiment import Block, Experiment, Frame, Study, curves
from flows.gpt2 import DISTANCE, cpu_mini, gpu_small, offline, paper
from flows.text_gallery import excerpts_in_html, first_seeds, histograms_of
from flows.text_leakage import WHAT_IT_IS, leakage_cell, leakages, mean_leakage
from tasks.claims import Claim, judge, said
from tasks.panels import band, colour_of, new_figure, one_legend, theory_line
from tasks.rank import trend
from tasks.seed_values import largest_of, least_of, mean_of, with_interval
from tasks.settings import RunConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tasks.context import RunContext

FloatArray = npt.NDArray[np.float64]

ENTROPY = "word_length_entropy"
DISTINCT = "distinct_2"
SHORT, LONG = "basin_mass.short", "basin_mass.long"
LEAKAGES = leakages(("short", "long"))
DISTANCES = (0, 5, 10, 20, 40)
BALANCED, SINGLE = "balanced", "single"
AT_LEAST = 0.8  # of Spearman's correlation
LATE = 0.25  # of the rounds
# Mass of a bin that counts as populated, and as empty (ours; of 200 texts 10 and 4).
POPULATED, EMPTY = 0.05, 0.02


def length_study(name: str, base: RunConfig, *, seeds: int) -> Study:
    """Five distances at q = .5, and q = 1 at the middle one."""
    axes = {"seed": range(seeds)}
    return Study(
        name,
        base,
        (
            Block({**axes, "distance": DISTANCES}, BALANCED, {"q": 0.5}),
            Block({**axes, "distance": (DISTANCE,)}, SINGLE, {"q": 1.0}),
        ),
    )


def of_cpu_mini(quick: bool) -> Study:
    """Five seeds on WikiText-2 with 2,000 tokens; quick 2."""
    return length_study("lengths", cpu_mini(), seeds=2 if quick else 5)


def of_offline(quick: bool) -> Study:
    """Five seeds on the prose of Python's documentation; quick 2."""
    return length_study("lengths-offline", offline(), seeds=2 if quick else 5)


def of_gpu_small(quick: bool) -> Study:
    """Three seeds with the paper's model; quick 1, which is not judged."""
    return length_study("lengths-gpu", gpu_small(), seeds=1 if quick else 3)


def of_paper(quick: bool) -> Study:
    """Five seeds at the paper's scale; quick 1, which is not judged."""
    return length_study("lengths-paper", paper(), seeds=1 if quick else 5)


def entropies(frame: Frame, distance: float) -> pd.DataFrame:  # k by run
    """Length entropy of p_1, p_2, ... of every balanced run at a distance."""
    found = curves(frame, ENTROPY, arm=BALANCED, distance=distance)
    return found[found.index > 0]


def late(frame: Frame, metric: str, **where: object) -> FloatArray:  # (runs,)
    """Mean over the last quarter of the rounds, of every run."""
    found = curves(frame, metric, **where)
    if found.empty:
        return np.empty(0)
    last = found[found.index > (1 - LATE) * found.index.max()]
    return np.asarray(last.mean(skipna=False), dtype=np.float64)


def judge_e4(frame: Frame, study: Study) -> list[Claim]:
    """Rank of the mean entropy with d, late entropies, bins (rule ours; the paper shows curves)."""
    means = [mean_of(entropies(frame, d).mean(skipna=False)) for d in DISTANCES]
    ends = {d: late(frame, ENTROPY, arm=BALANCED, distance=d) for d in DISTANCES}
    rooms = [gap(ends[d], ends[0]) for d in DISTANCES if d]
    two = [
        least_of(late(frame, mass, arm=BALANCED, distance=d))
        for d in DISTANCES
        if d
        for mass in (SHORT, LONG)
    ]
    left = late(frame, LONG, arm=SINGLE)
    return [
        judge(
            "Spearman of the length entropy, mean of all rounds, with d",
            trend(np.array(DISTANCES, dtype=np.float64), np.array(means)),
            above=AT_LEAST,
        ),
        judge(
            "least room between the intervals of late length entropy at d > 0 and d = 0, nats",
            least_of(rooms),
            above=0.0,
        ),
        judge("q = .5: least late mass of a bin at d > 0", least_of(two), above=POPULATED),
        judge("q = 1: largest late mass of the bin of T_B", largest_of(left), below=EMPTY),
    ]


def draw(frame: Frame, study: Study) -> "Figure":
    """Length entropy and leakage over rounds, entropy over d, and the masses of both bins."""
    figure, axes = new_figure(6)
    over_rounds, over_d, masses = axes[:3], axes[3], axes[4:]
    for panel in axes:
        for name in (*map(str, DISTANCES), "all", "late", "short", "long"):
            colour_of(panel, name)  # one colour in the whole figure
    for panel, metric in zip(over_rounds, (ENTROPY, *LEAKAGES), strict=True):
        for d in DISTANCES:
            if d or metric == ENTROPY:  # at d = 0 both bins are one
                _draw_curve(panel, frame, metric, f"d = {d}", colour=str(d), distance=d)
    over_rounds[0].set_ylabel("word-length entropy, nats")
    for panel, called in zip(over_rounds[1:], LEAKAGES.values(), strict=True):
        panel.set_ylabel(f"leakage, {called}")
    whole = np.array([entropies(frame, d).mean(skipna=False).to_numpy() for d in DISTANCES]).T
    ends = np.array([late(frame, ENTROPY, arm=BALANCED, distance=d) for d in DISTANCES]).T
    places = np.array(DISTANCES, dtype=np.float64)
    band(over_d, places, whole, label="all rounds", colour="all")
    band(over_d, places, ends, label="last quarter", colour="late")
    theory_line(over_d, places, np.where(places > 0, np.log(2), 0.0), "two lengths: ln 2")
    over_d.set_ylabel("mean length entropy, nats")
    over_d.set_xlabel("d, words")
    for panel, arm in zip(masses, (BALANCED, SINGLE), strict=True):
        for metric, label in ((SHORT, "short"), (LONG, "long")):
            _draw_curve(panel, frame, metric, label, colour=label, arm=arm)
        panel.set_ylabel(f"mass of a bin, {arm}, d = {DISTANCE}")
        panel.set_ylim(-0.03, 1.03)
    one_legend(over_rounds, columns=len(DISTANCES))
    return figure


def _draw_curve(
    panel: Any,
    frame: Frame,
    metric: str,
    label: str,
    *,
    colour: str,
    arm: str = BALANCED,
    distance: float = DISTANCE,
) -> None:
    found = curves(frame, metric, arm=arm, distance=distance)
    band(panel, found.index.to_numpy(), found.to_numpy().T, label=label, colour=colour)
    panel.set_xlabel("k of the model p_k")


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Entropies, bins, leakage and what becomes of the texts, at every d and for one reward."""
    columns = {
        "late E[words]": "mean_words",
        "late mass short": SHORT,
        "late mass long": LONG,
        "late distinct-2": DISTINCT,
        "late truncated": "share_truncated",
        "late perplexity": "held_out_perplexity",
    }
    rows = []
    for arm, d in [*((BALANCED, d) for d in DISTANCES), (SINGLE, DISTANCE)]:
        found = curves(frame, ENTROPY, arm=arm, distance=d)
        row = {
            "arm": arm,
            "d": d,
            "mean entropy": with_interval(found[found.index > 0].mean(skipna=False)),
            "late entropy": with_interval(late(frame, ENTROPY, arm=arm, distance=d)),
        }
        row |= {
            label: with_interval(late(frame, metric, arm=arm, distance=d))
            for label, metric in columns.items()
        }
        for metric, called in LEAKAGES.items():
            leaked = mean_leakage(frame, metric, last=LATE, arm=arm, distance=d)
            row[f"late leakage, {called}"] = leakage_cell(leaked) if d else "one bin"
        rows.append(row)
    return pd.DataFrame(rows)


def remarks(frame: Frame, study: Study) -> list[str]:
    """What is not the paper's, how late entropies are to be read, what else becomes of texts."""
    ends = [mean_of(late(frame, ENTROPY, arm=BALANCED, distance=d)) for d in DISTANCES[1:]]
    rank = trend(np.array(DISTANCES[1:], dtype=np.float64), np.array(ends))
    farthest: dict[str, Any] = {"arm": BALANCED, "distance": DISTANCES[-1]}
    start = mean_of(curves(frame, DISTINCT, **farthest).iloc[:1])
    end = mean_of(late(frame, DISTINCT, **farthest))
    return said(
        (
            "The paper does not say how many survivors join the pool, where nucleus sampling "
            "cuts, how p_0 was trained or how long a text may be: 100, .95, texts of 1 to 64 "
            "words and twice the words of T_B are ours.",
            True,
        ),
        (WHAT_IT_IS, True),
        (
            "Whatever d > 0, two lengths end with entropy ln 2 = .693: a model that learns fast is "
            f"flat late on. Late entropies at d > 0 rank with d by {rank:.3g}.",
            not np.isnan(rank),
        ),
        (
            f"Lengths stay diverse, texts do not: at d = {DISTANCES[-1]} distinct-2 goes from "
            f"{start:.3g} to {end:.3g}. Neither reward looks at words.",
            end < start,
        ),
    )


def unjudged(study: Study) -> str | None:
    """Why a study of one seed has no verdict."""
    if len(study.blocks[0].axes["seed"]) == 1:
        return "one seed, and the rule needs intervals over seeds"
    return None


def shown(contexts: Sequence["RunContext"]) -> dict[str, "RunContext"]:
    """First seeds that the page has texts of: equal targets, the middle distance, one reward."""
    chosen = ((BALANCED, 0), (BALANCED, DISTANCE), (SINGLE, DISTANCE))
    found = {
        (arm, d): first_seeds([run for run in contexts if run.record.axes["distance"] == d], [arm])
        for arm, d in chosen
    }
    return {f"{arm}, d = {d}": runs[arm] for (arm, d), runs in found.items() if runs}


EXPERIMENT = Experiment(
    name="E4",
    title="GPT-2 with two length preferences",
    claim="The farther the two preferred lengths are apart, the more diverse the lengths of the "
    "texts stay; with one preference they end as one.",
    source="paper, section C.6; pool, p_0 and thresholds partly ours",
    study=of_cpu_mini,
    judge=judge_e4,
    draw=draw,
    table=table,
    remarks=remarks,
    presets={
        "cpu-mini": of_cpu_mini,
        "offline": of_offline,
        "gpu-small": of_gpu_small,
        "paper": of_paper,
    },
    unjudged=unjudged,
    gallery=lambda contexts: histograms_of(shown(contexts)),
    excerpts=lambda contexts: excerpts_in_html(shown(contexts)),
)
