"""Reproducing an experiment: its sweep, its verdict, one table, one figure, one page."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from data.canonical import canonical_json
from data.errors import WeightsNotAtHand
from data.files import replace_file, storage_errors
from data.parquet import table_bytes
from data.store import Store
from flows.domain import find_domain, merge
from flows.experiment import Experiment, Frame, Scale, Study
from flows.located import located
from flows.page import render_page
from flows.reproduction import Reproduction, plain_outcome
from flows.rounds import is_complete
from flows.sweep_points import Axis, Point, points, values_in_arm
from flows.sweep_records import create_sweep, default_sweep_name
from flows.sweep_results import collect
from tasks.claims import HOLDS, VOID, Claim, overall
from tasks.context import RunContext, package_version
from tasks.figures import save_figure
from tasks.run_weights import absent_weights
from tasks.stand_ins import stand_ins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Runs the members of a group that are not complete; returns those that failed.
RunGroup = Callable[[Store, str], Sequence[str]]

# Preset that needs no weights, and whose numbers mean nothing.
REHEARSAL = "rehearsal"
# Suffixes of the files written for an experiment.
OUTPUTS = ("md", "json", "png", "svg", "parquet")


def study_points(study: Study) -> list[Point]:
    """Every run of a study; raises `ConfigError` for one that cannot be."""
    domain, base = find_domain(study.base.domain), study.base.model_dump(mode="json")
    found: list[Point] = []
    for block in study.blocks:
        axes = [Axis(key, tuple(values)) for key, values in block.axes.items()]
        arms = {} if block.arm is None else {block.arm: block.changes}
        changed = base if block.arm is not None else merge(base, block.changes)
        found += points(domain, changed, axes, arms)
    return found


def num_runs(study: Study) -> int:
    """How many runs a study has, without making their configurations."""
    return sum(
        math.prod(
            len(values_in_arm(Axis(key, tuple(values)), block.changes if block.arm else {}))
            for key, values in block.axes.items()
        )
        for block in study.blocks
    )


def reproduce(
    store: Store,
    experiment: Experiment,
    *,
    scale: Scale,
    folder: Path,
    run_group: RunGroup,
    settings: Sequence[str] = (),
) -> Reproduction:
    """Run what is missing of the experiment's study, then judge, draw and write it down.

    Experiments of one study share its runs. A verdict needs every run: with one missing it is
    void, and where published weights of the study are not at hand no run is started. What an
    earlier time wrote is removed first. `settings` (`key=value`) say where things are, as
    `located` takes them. Raises as reading does for a damaged artifact, and as `absent_weights`.
    """
    study = located(experiment.study_at(scale), settings)
    domain, members = find_domain(study.base.domain), study_points(study)
    name = f"{study.name}-{default_sweep_name(domain, members)[-8:]}"
    absent = None if _is_finished(store, name) else absent_weights(study.base)
    _discard(experiment, folder)
    if absent is not None:
        made = _not_started(experiment, scale, study, name, folder, absent)
        _write_page(made)
        return made
    records = create_sweep(store, domain, members, name=name, experiment=experiment.name)
    failed = list(run_group(store, name))
    frame = collect(store, records)
    claims = judged(experiment, frame, study, num_runs=len(records))
    verdict = _verdict(experiment, study, claims)
    complete = [RunContext(store, one) for one in records if is_complete(store, one)]
    show = verdict != VOID
    gallery = experiment.gallery(complete) if show and experiment.gallery else {}
    excerpts = experiment.excerpts(complete) if show and experiment.excerpts else {}
    made = Reproduction(
        experiment=experiment,
        scale=scale,
        study=study,
        group=name,
        verdict=verdict,
        claims=claims,
        printed=experiment.compare(frame, study),
        remarks=experiment.remarks(frame, study),
        table=experiment.table(frame, study),
        num_runs=len(records),
        failed=failed,
        config_fingerprints=name[-8:],
        package_version=records[0].package_version,
        numerics=records[0].numerics,
        folder=folder,
        stand_ins=stand_ins(study.base),
        gallery_names=tuple(gallery),
        excerpts=excerpts,
    )
    _write(made, frame, gallery)
    return made


def _is_finished(store: Store, group: str) -> bool:
    """Whether every run of a group is there, so that nothing is needed to read it."""
    present = store.find_group(group)
    return present is not None and all(is_complete(store, one) for one in present.members)


def _not_started(
    experiment: Experiment,
    scale: Scale,
    study: Study,
    name: str,
    folder: Path,
    absent: WeightsNotAtHand,
) -> Reproduction:
    remarks = str(absent).splitlines()
    if REHEARSAL in experiment.presets:
        remarks.append(
            f"`pluralist reproduce {experiment.name} --preset {REHEARSAL}` goes through every "
            "stage with small random models in their place."
        )
    return Reproduction(
        experiment=experiment,
        scale=scale,
        study=study,
        group=name,
        verdict=f"not judged: {', '.join(absent.repos)} not at hand",
        claims=[],
        printed=[],
        remarks=remarks,
        table=None,
        num_runs=0,
        failed=[],
        config_fingerprints=name[-8:],
        package_version=package_version(),
        numerics={},
        folder=folder,
        stand_ins=stand_ins(study.base),
    )


def judged(experiment: Experiment, frame: Frame, study: Study, *, num_runs: int) -> list[Claim]:
    """The experiment's claims, after one that all runs were measured to their last model."""
    measured = 0 if frame.empty else frame["run"].nunique()
    whole = Claim(
        "runs measured", float(measured), f"= {num_runs}", HOLDS if measured == num_runs else VOID
    )
    return [whole, *experiment.judge(frame, study)]


def _verdict(experiment: Experiment, study: Study, claims: list[Claim]) -> str:
    """What the claims come to, unless the study is of a kind that is never judged.

    With runs missing it is void in any case.
    """
    reason = experiment.unjudged(study)
    if reason is None or claims[0].verdict != HOLDS:
        return overall(claims)
    return f"not judged: {reason}"


def _discard(experiment: Experiment, folder: Path) -> None:
    """Remove what an earlier time wrote: a page must not outlive the data it was made from."""
    with storage_errors(folder):
        for suffix in OUTPUTS:
            (folder / f"{experiment.name.lower()}.{suffix}").unlink(missing_ok=True)
        for path in folder.glob(f"{experiment.name.lower()}.*.png"):
            path.unlink(missing_ok=True)


def _write(made: Reproduction, frame: Frame, gallery: Mapping[str, "Figure"]) -> None:
    with storage_errors(made.folder):
        made.folder.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pandas(frame, preserve_index=False)
        assert made.results is not None, "runs were measured"
        replace_file(made.results, table_bytes(table))
        if made.figure is not None:
            figure = made.experiment.draw(frame, made.study)
            save_figure(figure, made.folder, made.experiment.name.lower())
        for one, path in made.gallery.items():
            # Grids of pixels: as a vector file they would only be larger.
            gallery[one].savefig(path, dpi=150)
    _write_page(made)


def _write_page(made: Reproduction) -> None:
    with storage_errors(made.folder):
        made.folder.mkdir(parents=True, exist_ok=True)
        replace_file(made.page, render_page(made).encode())
        replace_file(made.page.with_suffix(".json"), canonical_json(plain_outcome(made)))
