"""An experiment by name: the runs it needs, what it claims, how it is judged and drawn.

A new experiment is one file here that exports `EXPERIMENT`; its name is the module's, `e5` for
E5. Judging and drawing are functions of the tidy frame of measurements alone, so a verdict
never comes from anything that was not measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.errors import ConfigError
from data.plugins import PluginFamily
from flows.domain import Plain
from tasks.claims import Claim
from tasks.settings import RunConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tasks.context import RunContext

FAMILY = PluginFamily(
    noun="experiment", package="flows", export="EXPERIMENT", group="pluralist.experiments"
)
# One row a run, model p_k and metric: `run`, `arm` ("" without arms), `seed`, one column an axis
# (named by its key; NaN where the value is null), `k`, `metric`, `value`.
Frame = pd.DataFrame
Values = pd.Series


@dataclass(frozen=True)
class Block:
    """Runs at every combination of the values of `axes`, with `changes` laid over the base."""

    axes: Mapping[str, Sequence[Any]]
    arm: str | None = None
    changes: Plain = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """The runs of an experiment. Experiments whose study has one `name` share its runs.

    Every block has the same axes, `seed` among them.
    """

    name: str
    base: RunConfig
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Printed:
    """A number printed in the paper beside what was measured."""

    quantity: str
    printed: float
    measured: float


@dataclass(frozen=True)
class Scale:
    """How large an experiment is run; `preset` is None where it has a single setting."""

    quick: bool = False
    preset: str | None = None

    @property
    def name(self) -> str:
        """Such as `full`, `quick`, `digits`, `digits-quick`; also the folder of its page."""
        if self.preset is None:
            return "quick" if self.quick else "full"
        return f"{self.preset}-quick" if self.quick else self.preset

    @property
    def options(self) -> list[str]:
        """Options of the command that give it."""
        preset = [] if self.preset is None else ["--preset", self.preset]
        return [*preset, *(["--quick"] if self.quick else [])]


@dataclass(frozen=True)
class Experiment:
    """One experiment of the paper, or of ours, by name.

    `study(quick)` names the runs; `judge`, `draw`, `compare`, `table` and `remarks` see the
    measurements and the study they come from. `compare` gives the numbers the paper prints, if
    any, `table` one more table for the page, and `remarks` what has to be said in words, above
    all where we disagree with the paper. `presets` are studies at several settings, the first
    of them `study`. `unjudged` says why what is measured is no verdict, if it is none.
    `gallery` draws further figures, by name, from the artifacts of the runs themselves;
    `excerpts` shows some of their samples, by heading, as lines of HTML that are safe on a page.
    """

    name: str
    title: str
    claim: str
    source: str
    study: Callable[[bool], Study]
    judge: Callable[[Frame, Study], list[Claim]]
    draw: Callable[[Frame, Study], "Figure"]
    compare: Callable[[Frame, Study], list[Printed]] = lambda _frame, _study: []
    table: Callable[[Frame, Study], pd.DataFrame | None] = lambda _frame, _study: None
    remarks: Callable[[Frame, Study], list[str]] = lambda _frame, _study: []
    presets: Mapping[str, Callable[[bool], Study]] = field(default_factory=dict)
    unjudged: Callable[[Study], str | None] = lambda _study: None
    gallery: Callable[[Sequence["RunContext"]], Mapping[str, "Figure"]] | None = None
    excerpts: Callable[[Sequence["RunContext"]], Mapping[str, str]] | None = None

    def scale(self, *, quick: bool, preset: str | None) -> Scale:
        """The scale asked for; raises `ConfigError` for a preset that the experiment has not."""
        if preset is not None and preset not in self.presets:
            known = f"one of {', '.join(self.presets)}" if self.presets else "none"
            raise ConfigError(f"{self.name}: --preset: expected {known}, got {preset!r}")
        return Scale(quick, preset or next(iter(self.presets), None))

    def study_at(self, scale: Scale) -> Study:
        """The study of a scale."""
        return (self.presets[scale.preset] if scale.preset else self.study)(scale.quick)


def find_experiment(name: str) -> Experiment:
    """The experiment called `name`, in either case; raises `ConfigError` listing all."""
    found: Experiment = FAMILY.find(name.lower())
    return found


def last_values(frame: Frame, metric: str, **where: Any) -> Values:
    """`metric` of the last model of every run with these column values, indexed by run.

    NaN for a run whose last model lacks it; empty when there is no such run. Judge by
    `mean(skipna=False)` and the like, which are NaN in both cases: a claim about it is void.
    Columns whose names are no identifiers are given as `**{"selection.pool_size": 4}`.
    """
    rows = _chosen(frame, where)
    last = rows["k"] == rows.groupby("run")["k"].transform("max")
    final = rows[last & (rows["metric"] == metric)]
    return final.set_index("run")["value"].reindex(rows["run"].unique())


def curves(frame: Frame, metric: str, **where: Any) -> pd.DataFrame:
    """`metric` over k (rows) of every run (columns) with these column values, NaN where missing."""
    rows = _chosen(frame, where)
    found = rows[rows["metric"] == metric].pivot(index="k", columns="run", values="value")
    return found.sort_index().reindex(columns=rows["run"].unique())


def _chosen(frame: Frame, where: Mapping[str, Any]) -> Frame:
    for column, value in where.items():
        frame = frame[frame[column].isna() if value is None else frame[column] == value]
    return frame
