"""Frames of measurements made up for judges, with the columns of a real one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from data.store import Store
from flows.domain import find_domain
from flows.experiment import Experiment, Frame, Study
from flows.reproduce import study_points
from flows.rounds import rounds
from flows.sweep_points import Point
from flows.sweep_records import create_sweep
from flows.sweep_results import collect
from tasks.claims import HOLDS, VIOLATED, VOID, Claim, overall
from tasks.context import RunContext
from tasks.selection import SelectionConfig
from tasks.settings import EvaluationConfig

# Metrics of one run's p_k.
Measure = Callable[[Point, int], dict[str, float]]


def with_seeds(study: Study, num_seeds: int) -> Study:
    """The study with fewer seeds."""
    return with_axes(study, {"seed": range(num_seeds)})


def with_axes(study: Study, axes: Mapping[str, Sequence[Any]]) -> Study:
    """The study with other values on some axes."""
    blocks = tuple(replace(block, axes={**block.axes, **axes}) for block in study.blocks)
    return replace(study, blocks=blocks)


def made_up(study: Study, measure: Measure, members: Sequence[Point] = ()) -> Frame:
    """Rows of every run and model of a study, with what `measure` says.

    `members` are the study's points, for whoever has them already.
    """
    rows: list[dict[str, Any]] = []
    for number, point in enumerate(members or study_points(study)):
        seed = point.config.seed
        axes = {key: value for key, value in point.values.items() if key != "seed"}
        head = {"run": f"run-{number}", "arm": point.arm or "", "seed": seed, **axes}
        for k in range(point.config.iterations + 1):
            rows += [
                {**head, "k": k, "metric": metric, "value": value}
                for metric, value in measure(point, k).items()
            ]
    return pd.DataFrame(rows, columns=[*head, "k", "metric", "value"])


def without(measure: Measure, prefix: str) -> Measure:
    """`measure` as if metrics that begin so had not been measured."""
    return lambda point, k: {
        name: value for name, value in measure(point, k).items() if not name.startswith(prefix)
    }


def unreadable(measure: Measure, prefix: str, *, seed: int = 0) -> Measure:
    """`measure` with NaN for metrics that begin so, in the runs of one seed."""
    return lambda point, k: {
        name: float("nan") if name.startswith(prefix) and point.config.seed == seed else value
        for name, value in measure(point, k).items()
    }


def check_judge(
    experiment: Experiment,
    measure: Measure,
    opposites: Sequence[Measure],
    needed: Sequence[str],
) -> None:
    """The judge holds for `measure`, no claim survives all `opposites`, nothing needed is left out.

    `needed` are beginnings of metrics without which, or with a NaN in which, a verdict is void.
    """
    study = with_seeds(experiment.study(True), 2)
    members = study_points(study)

    def judged(one: Measure) -> list[Claim]:
        return experiment.judge(made_up(study, one, members), study)

    claims = judged(measure)
    assert {one.claim: one.verdict for one in claims} == {one.claim: HOLDS for one in claims}
    violated: set[str] = set()
    for opposite in opposites:
        found = judged(opposite)
        assert overall(found) == VIOLATED
        violated |= {one.claim for one in found if one.verdict == VIOLATED}
    assert {one.claim for one in claims} - violated == set(), "claims that cannot fail"
    for prefix in needed:
        for spoilt in (without(measure, prefix), unreadable(measure, prefix)):
            assert overall(judged(spoilt)) == VOID, prefix


def check_pages(experiment: Experiment, frame: Frame, study: Study) -> None:
    """Figure, table and remarks are made of a frame."""
    figure = experiment.draw(frame, study)
    assert all(panel.lines for panel in figure.axes if panel.get_visible())
    found = experiment.table(frame, study)
    assert found is not None and len(found) > 0
    assert "-" not in found.to_numpy().ravel().tolist(), "a cell without a measurement"
    assert all(experiment.remarks(frame, study))


def check_study(experiment: Experiment) -> None:
    """Both scales are possible; the full one has 20 seeds and every run of the quick one."""
    quick, full = (study_points(experiment.study(one)) for one in (True, False))
    assert {point.config.seed for point in full} == set(range(20))
    known = {point.config.fingerprint for point in full}
    assert {point.config.fingerprint for point in quick} < known
    assert len(known) == len(full)


def small_frame(study: Study, store: Store, *, iterations: int = 2) -> tuple[Frame, Study]:
    """The whole study, run for real with one seed and few iterations of 100 draws."""
    study = with_seeds(study, 1)
    base = study.base.model_copy(
        update={
            "iterations": iterations,
            "num_candidates": 100,
            "selection": SelectionConfig(num_curated=100),
            "evaluation": EvaluationConfig(num_samples=100),
        }
    )
    study = replace(study, base=base)
    members = study_points(study)
    records = create_sweep(store, find_domain(base.domain), members, name="small")
    for record in records:
        rounds(RunContext(store, record))
    return collect(store, records), study
