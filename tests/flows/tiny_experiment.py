"""An experiment of four runs that take a moment, to try what is done with any experiment."""

from typing import Any

from matplotlib.figure import Figure

from data.errors import PluralistError
from data.store import Store
from flows.creation import find_records
from flows.experiment import Block, Experiment, Frame, Printed, Study, last_values
from flows.gmm import smoke
from flows.rounds import rounds
from tasks.claims import Claim, judge
from tasks.context import RunContext
from tasks.settings import RunConfig, parse_config

SHARE = "basin_mass.quadratic-1"
NUM_RUNS = 4


def base(**changes: Any) -> RunConfig:
    sizes = {"num_candidates": 40, "iterations": 2, "selection": {"num_curated": 40}}
    plain = smoke().model_dump(mode="json") | sizes | {"evaluation": {"num_samples": 40}}
    return parse_config(plain | changes)


def tiny(
    *, below: float = 1.0, scheme: str = "fresh", name: str = "E1", study_name: str = "tiny"
) -> Experiment:
    """Shares at two q, of pools of a text axis, that have to stay `below`."""

    def study(_quick: bool) -> Study:
        axes = {"q": (0.3, 0.6), "selection.scheme": (scheme,), "seed": (0, 1)}
        changes = {"selection": {"pool_size": 8}}
        return Study(study_name, base(), (Block(axes, changes=changes),))

    def judge_shares(frame: Frame, study: Study) -> list[Claim]:
        found = last_values(frame, SHARE)
        return [judge("largest share | of basin 1", found.max(skipna=False), below=below)]

    def draw(frame: Frame, study: Study) -> Figure:
        figure = Figure()
        figure.subplots().plot(last_values(frame, SHARE).to_numpy())
        return figure

    def compare(frame: Frame, study: Study) -> list[Printed]:
        mean = float(last_values(frame, SHARE, q=0.3).mean(skipna=False))
        return [Printed("share at q = .3", 0.25, mean), Printed("not run", 0.5, float("nan"))]

    return Experiment(
        name=name,
        title="Shares of tiny runs",
        claim="Shares are shares.",
        source="ours",
        study=study,
        judge=judge_shares,
        draw=draw,
        compare=compare,
        table=lambda frame, _study: frame[frame["metric"] == SHARE].head(2)[["run", "value"]],
        remarks=lambda _frame, _study: ["Two rounds say nothing."],
    )


def run_here(store: Store, group: str) -> list[str]:
    """Run every member in this process; returns those that failed."""
    failed = []
    for record in find_records(store, group):
        try:
            rounds(RunContext(store, record))
        except PluralistError:
            failed.append(record.run)
    return failed
