"""Reading every committed byte of a run again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.artifact import Artifact, find_artifact
from data.errors import CorruptArtifact
from data.store import RunRecord, Store
from pluralist.listing import run_digest
from tasks.context import RunContext
from tasks.places import Place


@dataclass(frozen=True)
class VerifyReport:
    """What was read of one run, what is wrong, and the digests of what is there."""

    run: str
    stages: int
    files: int
    size: int
    problems: list[str]
    damaged: list[Path]
    digest: str
    stage_digests: dict[str, str]

    def plain(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "run": self.run,
            "stages": self.stages,
            "files": self.files,
            "bytes": self.size,
            "problems": self.problems,
            "content_digest": self.digest,
            "stage_digests": self.stage_digests,
        }


def verify_run(store: Store, record: RunRecord) -> VerifyReport:
    """Check manifests, files, fingerprints and upstream digests of every committed place."""
    context = RunContext(store, record)
    problems: list[str] = []
    damaged: list[Path] = []
    sound: dict[Place, Artifact] = {}
    seen: set[Place] = set()
    for place in context.places():
        found, wrong = _check_place(context, place, sound)
        if found is not None or wrong:
            seen.add(place)
            absent = [source for source in context.upstream(place) if source not in seen]
            for source in absent:
                seen.add(source)
                problems.append(
                    f"{context.folder(source)}: expected a committed stage, since {place} was made "
                    "from it, found none; `pluralist resume RUN` makes it again"
                )
        if wrong:
            problems += wrong
            damaged.append(context.folder(place))
        if found is not None:
            sound[place] = found
    stages = [(place, artifact.content_digest) for place, artifact in sound.items()]
    return VerifyReport(
        run=record.run,
        stages=len(sound),
        files=sum(len(artifact.manifest.files) for artifact in sound.values()),
        size=sum(artifact.manifest.size for artifact in sound.values()),
        problems=problems,
        damaged=damaged,
        digest=run_digest(stages),
        stage_digests={str(place): digest for place, digest in stages},
    )


def _check_place(
    context: RunContext, place: Place, sound: dict[Place, Artifact]
) -> tuple[Artifact | None, list[str]]:
    folder = context.folder(place)
    try:
        artifact = find_artifact(folder)
    except CorruptArtifact as error:
        return None, [str(error)]
    if artifact is None:
        return None, []
    problems = artifact.check()
    expected = context.fingerprints.of(place)
    if artifact.fingerprint != expected:
        problems.append(f"{folder}: fingerprint expected {expected}, found {artifact.fingerprint}")
    for source, recorded in zip(context.upstream(place), artifact.manifest.upstream, strict=False):
        present = sound.get(source)
        if present is not None and present.content_digest != recorded.content_digest:
            problems.append(
                f"{folder}: made from {source} with content digest {recorded.content_digest}, "
                f"found {present.content_digest}"
            )
    return artifact, problems
