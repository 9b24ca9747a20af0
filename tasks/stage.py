"""Running one stage: reuse what is committed, adopt what a fork shares, compute the rest."""

import contextlib
import fcntl
import logging
import os
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from data.artifact import Artifact, find_artifact
from data.commit import Attempt, discard_attempts
from data.errors import CorruptArtifact, ProvenanceMismatch
from data.files import discard_folder, make_folders, storage_errors
from data.manifest import Upstream
from data.numerics import differences
from tasks.context import RunContext
from tasks.places import SHARED_STAGES, Place

LOG = logging.getLogger("pluralist.stage")

# Module and function that compute each stage; imported on use, which keeps start-up short.
COMPUTE = {
    "classifier": ("tasks.classifier_stage", "compute"),
    "reference": ("tasks.reference_stage", "compute"),
    "constants": ("tasks.constants_stage", "compute"),
    "initial": ("tasks.retrain", "compute_initial"),
    "sample": ("tasks.sample", "compute"),
    "draw": ("tasks.draw_stage", "compute"),
    "select": ("tasks.select_stage", "compute"),
    "retrain": ("tasks.retrain", "compute"),
    "evaluate": ("tasks.evaluate", "compute"),
}


@dataclass(frozen=True)
class StageFacts:
    """What a stage function reports about its work."""

    rows_in: int
    rows_out: int


@dataclass(frozen=True)
class Outcome:
    """How a place came to be committed: `computed`, `reused`, or `adopted` from a fork's origin."""

    place: Place
    how: str
    fingerprint: str
    content_digest: str
    seconds: float

    def plain(self, run: str) -> dict[str, Any]:
        """The outcome as plain values, for Prefect and logs."""
        return {
            "run": run,
            "iteration": self.place.iteration,
            "stage": self.place.stage,
            "how": self.how,
            "fingerprint": self.fingerprint,
            "content_digest": self.content_digest,
        }


def run_place(context: RunContext, place: Place) -> Outcome:
    """Make sure the stage at `place` is committed, computing it only if it is not.

    The run's lock must be held. Raises `CorruptArtifact` when a committed file is damaged,
    `ProvenanceMismatch` when a committed stage was made from something else.
    """
    started = time.perf_counter()
    with _shared_lock(context, place):
        how = "reused"
        artifact = _reusable(context, place)
        if artifact is None:
            discard_attempts(context.folder(place))
            artifact, how = _adopted(context, place), "adopted"
        if artifact is None:
            artifact, how = _computed(context, place), "computed"
    return Outcome(
        place=place,
        how=how,
        fingerprint=artifact.fingerprint,
        content_digest=artifact.content_digest,
        seconds=time.perf_counter() - started,
    )


def _reusable(context: RunContext, place: Place) -> Artifact | None:
    artifact = context.find(place, look_again=True)
    if artifact is None:
        return None
    _check_provenance(context, place, artifact)
    for entry in artifact.manifest.files:
        artifact.verify_file(entry.path)
    _discard_leftovers(artifact.folder)
    return artifact


def _check_provenance(context: RunContext, place: Place, artifact: Artifact) -> None:
    """Raise `ProvenanceMismatch` unless the stage is what this run would have computed."""
    manifest, expected = artifact.manifest, context.fingerprints.of(place)
    if artifact.fingerprint != expected or len(manifest.upstream) != len(context.upstream(place)):
        raise ProvenanceMismatch(
            f"{artifact.folder}: fingerprint expected {expected}, found {artifact.fingerprint}: "
            "it was committed by another configuration or release; to go on with what is still "
            f"the same: {_fork_command(context)}"
        )
    if not context.accepts(manifest.numerics):
        all_rows = differences(context.record.numerics, manifest.numerics)
        rows = [row for row in all_rows if row[0] in manifest.numerics]
        table = "\n".join(f"  {key}: {old} -> {new}" for key, old, new in rows)
        raise ProvenanceMismatch(
            f"{artifact.folder}: computed in another numerics class (expected -> found):\n{table}\n"
            "go on with --accept-numerics, which marks the run, or use another --store"
        )
    for source, recorded in zip(context.upstream(place), manifest.upstream, strict=True):
        found = context.open_place(source).content_digest
        if found != recorded.content_digest:
            raise ProvenanceMismatch(
                f"{artifact.folder}: made from {source} with content digest "
                f"{recorded.content_digest}, but {found} is committed there now; set this stage "
                "aside with `pluralist verify RUN --quarantine` and resume"
            )


def _fork_command(context: RunContext) -> str:
    name = context.record.group or context.run
    return f"pluralist fork {name} --store {shlex.quote(str(context.store.root))}"


def _adopted(context: RunContext, place: Place) -> Artifact | None:
    """The same stage of a run this one was forked from, taken over if it is the same."""
    sources = _sources(context, place)
    digests = [source.content_digest for source in sources]
    for origin in context.origins():
        folder = context.store.stage_folder(origin, place.iteration, place.stage)
        try:
            theirs = find_artifact(folder)
            if (
                theirs is None
                or theirs.fingerprint != context.fingerprints.of(place)
                or theirs.manifest.numerics != context.numerics
                or [one.content_digest for one in theirs.manifest.upstream] != digests
            ):
                continue
            with Attempt(context.folder(place)) as attempt:
                attempt.adopt(theirs, theirs.manifest.files)
                return attempt.publish(
                    run=context.run,
                    iteration=place.iteration,
                    stage=place.stage,
                    fingerprint=theirs.fingerprint,
                    upstream=sources,
                    seed=theirs.manifest.seed,
                    numerics=theirs.manifest.numerics,
                    versions=theirs.manifest.versions,
                    wall_seconds=theirs.manifest.wall_seconds,
                    stand_ins=theirs.manifest.stand_ins,
                    reused_from=origin,
                )
        except CorruptArtifact as error:
            LOG.warning("%s %s: not taken over from %s: %s", context.run, place, origin, error)
    return None


def _computed(context: RunContext, place: Place) -> Artifact:
    module, function = COMPUTE[place.stage]
    compute: Callable[[RunContext, Place, Attempt], StageFacts] = getattr(
        import_module(module), function
    )
    started = time.perf_counter()
    is_shared = place.iteration is None and place.stage in SHARED_STAGES
    with Attempt(context.folder(place)) as attempt:
        with context.session():
            facts = compute(context, place, attempt)
        artifact = attempt.publish(
            run=None if is_shared else context.run,
            iteration=place.iteration,
            stage=place.stage,
            fingerprint=context.fingerprints.of(place),
            upstream=_sources(context, place),
            seed=_seed(context, place) if is_shared else context.config.seed,
            numerics=context.numerics_at(place),
            versions=context.versions,
            wall_seconds=time.perf_counter() - started,
            stand_ins=context.stand_ins,
        )
    _discard_leftovers(artifact.folder)
    LOG.info(
        "%s %s: %d rows in, %d rows out, %.3f s",
        context.run,
        place,
        facts.rows_in,
        facts.rows_out,
        time.perf_counter() - started,
    )
    return artifact


def _seed(context: RunContext, place: Place) -> int:
    """Seed of what runs share."""
    classifier = context.config.classifier
    if place.stage == "classifier" and classifier is not None:
        return classifier.seed
    return context.config.initial.seed


def _sources(context: RunContext, place: Place) -> tuple[Upstream, ...]:
    found = []
    for source in context.upstream(place):
        artifact = context.open_place(source)
        found.append(
            Upstream(
                place=str(source),
                fingerprint=artifact.fingerprint,
                content_digest=artifact.content_digest,
                manifest_digest=artifact.manifest_digest,
            )
        )
    return tuple(found)


def _discard_leftovers(folder: Path) -> None:
    """Remove shards and checkpoints, which end with the stage, and what a kill left of them."""
    with storage_errors(folder), os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        if name.startswith(("shard-", "checkpoint-", "leftover-", "discarded-")):
            discard_folder(folder / name)
    if sum(name.startswith("attempt-") for name in names) > 1:
        discard_attempts(folder)


@contextlib.contextmanager
def _shared_lock(context: RunContext, place: Place) -> Iterator[None]:
    """For what runs share: wait until no other run is making it."""
    if place.iteration is not None or place.stage not in SHARED_STAGES:
        yield
        return
    folder = context.folder(place)
    with storage_errors(folder):
        make_folders(folder)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            LOG.warning("%s: waiting for the run that is making the same %s", context.run, place)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
