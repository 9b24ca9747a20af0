"""One row a run, read from the store alone: no server is asked and nothing is locked."""

import json
from typing import Any

from data.canonical import digest_of
from data.errors import CorruptArtifact
from data.lock import holder
from data.manifest import MANIFEST, REPAIR
from data.store import RunRecord, Store
from flows.rounds import FAILURE, is_complete
from tasks.places import Fingerprints, Place, all_places
from tasks.settings import parse_config


def list_runs(store: Store, *, with_digests: bool) -> list[dict[str, Any]]:
    """A row for every run; a run whose record is damaged is listed as such."""
    rows = []
    for run in store.run_names():
        try:
            rows.append(run_row(store, store.read_run(run), with_digests=with_digests))
        except CorruptArtifact as error:
            rows.append(_damaged_row(run, str(error)))
    return rows


def run_row(store: Store, record: RunRecord, *, with_digests: bool) -> dict[str, Any]:
    """State, progress and, if asked, content digests of one run as plain values."""
    iterations = record.config["iterations"]
    models = store.models_evaluated(record.run, iterations)
    row = {
        "run": record.run,
        "domain": record.domain,
        "state": _state(store, record),
        "models": models,
        "iterations": iterations,
        "created": record.created_at,
        "group": record.group,
        "arm": record.arm,
        "axes": record.axes,
        "forked_from": record.forked_from,
        "marked": "other numerics class" if record.accepted_numerics else None,
    }
    if with_digests:
        stages = stage_digests(store, record)
        row["stages"] = {str(place): digest for place, digest in stages}
        row["content_digest"] = run_digest(stages)
    return row


def stage_digests(store: Store, record: RunRecord) -> list[tuple[Place, str]]:
    """Content digest of every committed place in order, as the manifests say, unverified."""
    config = parse_config(record.config)
    fingerprints = Fingerprints(config)
    shared = [Place(None, stage) for stage in fingerprints.shared]
    folders = {place: store.initial_folder(fingerprints.of(place)) for place in shared}
    found = []
    for place in all_places(config.iterations, fingerprints.shared):
        folder = folders.get(place) or store.stage_folder(record.run, place.iteration, place.stage)
        path = folder / MANIFEST
        try:
            found.append((place, json.loads(path.read_bytes())["content_digest"]))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptArtifact(
                f"{path}: expected a manifest, found none that can be read; {REPAIR}"
            ) from error
    return found


def run_digest(stages: list[tuple[Place, str]]) -> str:
    """Content digest of a run: SHA-256 over (iteration, stage, content digest) in order."""
    return digest_of([[place.iteration, place.stage, digest] for place, digest in stages])


def _state(store: Store, record: RunRecord) -> str:
    folder = store.run_folder(record.run)
    if holder(folder) is not None:
        return "running"
    if is_complete(store, record):
        return "complete"
    if (folder / FAILURE).exists():
        return "failed"
    return "stopped"


def _damaged_row(run: str, problem: str) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("domain", "models", "iterations", "created", "group", "arm", "axes", "forked_from")
    )
    empty["marked"] = None
    return {"run": run, "state": "damaged", "problem": problem} | empty
