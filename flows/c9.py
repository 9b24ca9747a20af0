"""Experiment C9: the paper's theory checks on the idealised model (section C.9)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from flows.density import c9
from flows.experiment import Block, Experiment, Frame, Printed, Study
from tasks.basin_path import Paths, basin_paths
from tasks.claims import HOLDS, VOID, Claim
from tasks.theory_checks import distance_table, judge_paths, table_3
from tasks.theory_figure import draw_checks
from tasks.theory_remarks import remarks as remarks_about

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The weights of Table 3, and those the Nash error is the mean over.
WEIGHTS = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
DISTANCES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)


def study(quick: bool) -> Study:
    """Every distance with every weight; d = 8, of Table 4, at q = 1/2 alone. Nothing is random."""
    if quick:
        return Study("c9-quick", c9(), (_block((2.0, 6.0), (0.25, 0.4, 0.75)),))
    return Study("c9", c9(), (_block(DISTANCES, WEIGHTS), _block((8.0,), (0.5,))))


def judge(frame: Frame, study: Study) -> list[Claim]:
    """Claims about the runs of the study; void when the basins of one were not measured."""
    paths = _paths(frame, study)
    wanted = {
        (distance, q)
        for block in study.blocks
        for distance in block.axes["distance"]
        for q in block.axes["q"]
    }
    found = len(wanted & paths.keys())
    verdict = HOLDS if found == len(wanted) else VOID
    whole = Claim("runs whose basins were measured", float(found), f"= {len(wanted)}", verdict)
    return [whole, *judge_paths(paths)]


def draw(frame: Frame, study: Study) -> "Figure":
    """Shares within bounds, outside mass over k, Nash error over d where it was measured."""
    return draw_checks(_paths(frame, study))


def compare(frame: Frame, study: Study) -> list[Printed]:
    """Table 3: lower bound, share and upper bound at each printed d and q that was run."""
    return [
        Printed(
            quantity=f"Table 3, d = {row['distance']:g}, q = {row['q']:g}: {row['quantity']}",
            printed=row["printed"],
            measured=row["measured"],
        )
        for row in table_3(_paths(frame, study)).to_dict("records")
    ]


def remarks(frame: Frame, study: Study) -> list[str]:
    """Where the paper's text and tables disagree, and what the grid alone causes."""
    return remarks_about(_paths(frame, study))


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Decay rate, outside mass, width of the bounds and Nash error at each distance."""
    return distance_table(_paths(frame, study))


def _paths(frame: Frame, study: Study) -> Paths:
    return basin_paths(frame, study.base.reward_names)


def _block(distances: Sequence[float], weights: Sequence[float]) -> Block:
    return Block({"distance": distances, "q": weights, "seed": (0,)})


EXPERIMENT = Experiment(
    name="C9",
    title="Theory checks on the idealised model",
    claim=(
        "shares end within the leakage bounds, which tighten with the distance of the rewards; "
        "mass outside the basins decays exponentially; the share nears the weight q"
    ),
    source="paper, section C.9, Tables 3 to 5, Figures 12 to 14; tolerances ours",
    study=study,
    judge=judge,
    draw=draw,
    compare=compare,
    table=table,
    remarks=remarks,
)
