"""Two conflicting rewards on answers to prompts: each alone, and balanced (paper, section C.8)."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.arms import draw_arms, moments, table_of_arms
from flows.domain import Plain
from flows.experiment import Block, Frame, Study, curves, last_values
from tasks.claims import Claim, judge
from tasks.seed_values import largest_of, least_of, mean_of, ratio
from tasks.settings import RunConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]

BALANCED = "balanced"
DISTINCT, PERPLEXITY = "distinct_2", "held_out_perplexity"
# Of the way from the arm that only likes the other reward to the arm that only likes this one;
# a mixture of both arms' answers is half way (threshold ours).
COMPETITIVE = 0.25


def three_arms(names: list[str]) -> dict[str, Plain]:
    """Weights alone: every arm scores both rewards."""
    return {
        f"{names[0]}-only": {"q": 1.0},
        f"{names[1]}-only": {"q": 0.0},
        BALANCED: {"q": 0.5},
    }


def three_study(name: str, base: RunConfig, *, seeds: int) -> Study:
    """The base, which has two rewards, with three weights."""
    arms = three_arms(base.reward_names)
    blocks = [Block({"seed": range(seeds)}, arm, changes) for arm, changes in arms.items()]
    return Study(name, base, tuple(blocks))


def changes_of(frame: Frame, metric: str, arm: str) -> FloatArray:  # (runs,)
    """Last value less that of p_0, of every run."""
    found = curves(frame, metric, arm=arm)
    return (found.iloc[-1] - found.iloc[0]).to_numpy() if len(found) else np.empty(0)


def growth_of(frame: Frame, arm: str) -> float:
    """Mean over runs of the last perplexity over that of p_0."""
    found = curves(frame, PERPLEXITY, arm=arm)
    return mean_of(found.iloc[-1] / found.iloc[0]) if len(found) else float("nan")


def judge_three(frame: Frame, study: Study) -> list[Claim]:
    """What a single reward does to the other, and what balance keeps (thresholds ours)."""
    names = study.base.reward_names
    *alone, balanced = three_arms(names)
    claims = []
    for arm, name in zip(alone, reversed(names), strict=True):
        worst = largest_of(changes_of(frame, f"reward_mean.{name}", arm))
        claims.append(judge(f"{arm}: largest change of E[{name}]", worst, below=0.0))
    for own, other, name in zip(alone, reversed(alone), names, strict=True):
        kept, most, least = (
            mean_of(last_values(frame, f"reward_mean.{name}", arm=arm))
            for arm in (balanced, own, other)
        )
        claims.append(
            judge(
                f"balanced: E[{name}] on the way from {other} to {own}",
                ratio(kept - least, most - least),
                above=COMPETITIVE,
            )
        )
    distinct = {arm: mean_of(last_values(frame, DISTINCT, arm=arm)) for arm in (*alone, balanced)}
    growth = {arm: growth_of(frame, arm) for arm in (*alone, balanced)}
    return [
        *claims,
        judge(
            "distinct-2: balanced / largest of single rewards",
            ratio(distinct[balanced], largest_of([distinct[arm] for arm in alone])),
            above=1.0,
        ),
        judge(
            "growth of held-out perplexity: balanced / least of single rewards",
            ratio(growth[balanced], least_of([growth[arm] for arm in alone])),
            below=1.0,
        ),
    ]


def draw_three(frame: Frame, study: Study) -> "Figure":
    """Both rewards, distinct-2 and perplexity over rounds, one line an arm."""
    names = study.base.reward_names
    shown = [(f"reward_mean.{name}", f"E[{name}]") for name in names]
    shown += [(DISTINCT, "distinct-2"), (PERPLEXITY, "held-out perplexity")]
    return draw_arms(frame, [*three_arms(names)], shown, columns=3, across=2)


def table_three(frame: Frame, study: Study) -> pd.DataFrame:
    """Every arm with the last model's moments and text metrics."""
    names = study.base.reward_names
    columns = moments(names) | {
        "distinct-2": DISTINCT,
        "self-BLEU": "self_bleu",
        "perplexity": PERPLEXITY,
        "E[words]": "mean_words",
        "truncated": "share_truncated",
    }
    return table_of_arms(frame, [*three_arms(names)], columns)
