"""What a run would still have to do, and what that costs by the experience of this store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from data.artifact import find_artifact
from data.errors import PluralistError
from data.manifest import Manifest
from data.store import RunRecord, Store
from flows.creation import changed_keys
from pluralist.output import format_seconds, format_size, print_line, print_note, print_table
from tasks.places import ITERATION_STAGES, SHARED_STAGES, Fingerprints, Place, all_places
from tasks.settings import RunConfig, parse_config


@dataclass(frozen=True)
class StagePlan:
    """All places of one stage: how many are committed, how many would run, at what cost."""

    stage: str
    reused: int
    to_run: int
    seconds: float | None
    size: float | None


@dataclass(frozen=True)
class RunPlan:
    """One run: whether it exists, what changed against it, and its stages."""

    run: str
    state: str
    changed: list[tuple[str, Any, Any]]
    first_missing: str | None
    stages: list[StagePlan]

    def plain(self) -> dict[str, Any]:
        """The plan as plain values."""
        return asdict(self)


def plan_runs(
    store: Store, runs: Mapping[str, tuple[RunConfig, RunRecord | None]]
) -> list[RunPlan]:
    """One plan a run, from its configuration and, where it exists, its record.

    Costs are the mean of the same stage's commits in this run, or else those of the newest other
    run of the domain scaled by the number of rows; None where the store holds none. A damaged
    other run is passed over with a note on stderr.
    """
    notes: dict[str, str] = {}
    plans = [_plan(store, run, config, record, notes) for run, (config, record) in runs.items()]
    for note in notes.values():
        print_note(note)
    return plans


def print_plan(store: Store, plans: list[RunPlan]) -> None:
    """One table a run, then the totals."""
    for plan in plans:
        rows = [
            (
                stage.stage,
                stage.reused,
                stage.to_run,
                "unknown" if stage.seconds is None else format_seconds(stage.seconds),
                "unknown" if stage.size is None else format_size(stage.size),
            )
            for stage in plan.stages
        ]
        print_table(
            ("stage", "reused", "to run", "time", "disk"), rows, title=f"{plan.run} ({plan.state})"
        )
        for path, old, new in plan.changed:
            print_line(f"changed  {path}: {old} -> {new}")
        print_line(f"next     {plan.first_missing or 'nothing: the run is complete'}\n")
    stages = [stage for plan in plans for stage in plan.stages]
    if any(stage.seconds is None for stage in stages):
        print_line("total    unknown: this store holds no such stage to learn from yet")
    else:
        seconds = sum(stage.seconds or 0.0 for stage in stages)
        size = sum(stage.size or 0.0 for stage in stages)
        print_line(f"total    {format_seconds(seconds)} of work, {format_size(size)} of disk")
    print_line(f"store    {store.root}")


def _plan(
    store: Store, run: str, config: RunConfig, record: RunRecord | None, notes: dict[str, str]
) -> RunPlan:
    fingerprints = Fingerprints(config)
    stages = [*fingerprints.shared, *ITERATION_STAGES]
    reused: dict[str, list[Manifest]] = {stage: [] for stage in stages}
    missing: dict[str, int] = dict.fromkeys(reused, 0)
    first_missing = None
    for place in all_places(config.iterations, fingerprints.shared):
        manifest = _committed(store, run, place, fingerprints)
        if manifest is not None:
            reused[place.stage].append(manifest)
        else:
            missing[place.stage] += 1
            first_missing = first_missing or str(place)
    changed = changed_keys(record.config, config.model_dump(mode="json")) if record else []
    planned = [
        _stage_plan(stage, found, missing[stage], _experience(store, config, stage, found, notes))
        for stage, found in reused.items()
    ]
    if record is None:
        state = "new"
    elif any(path != "iterations" for path, _, _ in changed):
        state = "would be a fork"
    else:
        state = "complete" if first_missing is None else "unfinished"
    return RunPlan(run, state, changed, first_missing, planned)


def _stage_plan(
    stage: str, found: list[Manifest], to_run: int, experience: tuple[float, float] | None
) -> StagePlan:
    if not to_run:
        return StagePlan(stage, len(found), 0, 0.0, 0.0)
    if experience is None:
        return StagePlan(stage, len(found), to_run, None, None)
    seconds, size = experience
    return StagePlan(stage, len(found), to_run, to_run * seconds, to_run * size)


def _committed(store: Store, run: str, place: Place, fingerprints: Fingerprints) -> Manifest | None:
    expected = fingerprints.of(place)
    if place.stage in SHARED_STAGES:
        artifact = find_artifact(store.initial_folder(expected))
    else:
        artifact = find_artifact(store.stage_folder(run, place.iteration, place.stage))
    if artifact is None or artifact.fingerprint != expected:
        return None
    return artifact.manifest


def _experience(
    store: Store, config: RunConfig, stage: str, found: list[Manifest], notes: dict[str, str]
) -> tuple[float, float] | None:
    """Seconds and bytes of one such stage: the mean of `found`, or else of the newest other run
    of the domain that has committed one, scaled by the number of rows; None where there is none.

    Damaged other runs are passed over with a line in `notes`: this run does not depend on them.
    """
    if found:
        return (
            sum(manifest.wall_seconds for manifest in found) / len(found),
            sum(manifest.size for manifest in found) / len(found),
        )
    created = {
        run: (store.run_folder(run) / "run.json").stat().st_mtime for run in store.run_names()
    }
    for run in sorted(created, key=lambda run: created[run], reverse=True):
        try:
            experience = _of_other_run(store, config, stage, run)
        except PluralistError as error:
            notes[run] = f"{run}: nothing to learn from: {error}"
            continue
        if experience is not None:
            return experience
    return None


def _of_other_run(
    store: Store, config: RunConfig, stage: str, run: str
) -> tuple[float, float] | None:
    record = store.read_run(run)
    if record.domain != config.domain:
        return None
    theirs = parse_config(record.config)
    if stage in SHARED_STAGES:
        fingerprints = Fingerprints(theirs)
        if stage not in fingerprints.shared:
            return None
        folder = store.initial_folder(fingerprints.of(Place(None, stage)))
    else:
        folder = store.stage_folder(run, 0, stage)
    artifact = find_artifact(folder)
    if artifact is None:
        return None
    scale = _rows(config, stage) / _rows(theirs, stage)
    return scale * artifact.manifest.wall_seconds, scale * artifact.manifest.size


def _rows(config: RunConfig, stage: str) -> int:
    """Rows that decide the work of a stage."""
    return {
        **dict.fromkeys(SHARED_STAGES, 1),
        "sample": config.num_candidates,
        "draw": config.num_candidates,
        "select": config.num_candidates + config.selection.num_curated,
        "retrain": config.selection.num_curated,
        "evaluate": config.evaluation.num_samples,
    }[stage]
