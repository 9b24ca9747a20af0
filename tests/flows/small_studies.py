"""The experiments made small enough for tests, and reproducing them in two worker processes."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.store import Store
from flows.domain import merge
from flows.experiment import Experiment, Scale, Study, find_experiment
from flows.reproduce import reproduce
from flows.reproduction import Reproduction
from flows.sweep import run_sweep
from tasks.settings import parse_config

Plain = dict[str, Any]


def small(
    name: str,
    changes: Plain,
    axes: Mapping[str, Sequence[Any]] | None = None,
    *,
    quick: bool = True,
) -> Experiment:
    """Experiment `name` with `changes` laid over its base and fewer values on these `axes`.

    A block keeps the values it has in common with them, or its own if none.
    """
    experiment = find_experiment(name)
    study = experiment.study(quick)
    base = parse_config(merge(study.base.model_dump(mode="json"), changes))
    blocks = tuple(
        dataclasses.replace(block, axes=_narrowed(block.axes, axes or {})) for block in study.blocks
    )
    return with_study(experiment, dataclasses.replace(study, base=base, blocks=blocks))


def with_study(experiment: Experiment, study: Study) -> Experiment:
    """The experiment with this study, quick or not."""
    return dataclasses.replace(experiment, study=lambda _quick: study)


def cheap(num: int, iterations: int) -> Plain:
    """So many candidates, winners and samples in each of so many rounds."""
    return {
        "iterations": iterations,
        "num_candidates": num,
        "selection": {"num_curated": num},
        "evaluation": {"num_samples": num},
    }


def make(root: Path, experiment: Experiment, *, output: str = "reports") -> Reproduction:
    """`experiment` reproduced in the store `root`/store without Prefect, two runs at a time."""

    def run_group(store: Store, group: str) -> list[str]:
        outcome = run_sweep(str(store.root), group, concurrency=2, prefect=False)
        return [run for run, _ in outcome.failed]

    store = Store(root / "store")
    return reproduce(
        store, experiment, scale=Scale(quick=True), folder=root / output, run_group=run_group
    )


def _narrowed(
    present: Mapping[str, Sequence[Any]], wanted: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]]:
    return {
        key: [one for one in values if one in wanted.get(key, values)] or values
        for key, values in present.items()
    }
