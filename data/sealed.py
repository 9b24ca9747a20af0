"""JSON records that carry their own digest, so that a flipped bit in them is seen."""

import hashlib
import json
from pathlib import Path
from typing import TypeVar

from pydantic import ConfigDict, ValidationError

from data.configuration import FrozenConfig
from data.errors import CorruptArtifact

SCHEMA_VERSION = 1
UNSEALED = "0" * 64


class SealedRecord(FrozenConfig):
    """Base of manifests, run and group records; fields of later releases are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    self_digest: str = UNSEALED


Record = TypeVar("Record", bound=SealedRecord)


def render(record: SealedRecord) -> bytes:
    """JSON text; `self_digest` in it is the SHA-256 of the text with zeros in that place."""
    unsealed = record.model_copy(update={"self_digest": UNSEALED})
    # On one line: with an indent Python's slow encoder would run, for every commit.
    text = json.dumps(unsealed.model_dump(mode="json"), allow_nan=False).encode() + b"\n"
    return text.replace(UNSEALED.encode(), hashlib.sha256(text).hexdigest().encode())


def parse(text: bytes, path: Path, model: type[Record], *, advice: str) -> Record:
    """Record of type `model` from its JSON `text`; `path` and `advice` are for messages.

    Raises `CorruptArtifact` when the text is no such record, comes from a newer schema, or does
    not agree with its seal.
    """
    try:
        raw = json.loads(text)
        version = raw["schema_version"]
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise CorruptArtifact(
                f"{path}: schema version {version} is newer than {SCHEMA_VERSION}, the newest "
                "this release reads; upgrade pluralist"
            )
        record = model.model_validate(raw)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise CorruptArtifact(
            f"{path}: expected a {model.__name__} record, found {len(text)} bytes that are none; "
            f"{advice}"
        ) from error
    unsealed = text.replace(record.self_digest.encode(), UNSEALED.encode())
    found = hashlib.sha256(unsealed).hexdigest()
    if found != record.self_digest:
        raise CorruptArtifact(
            f"{path}: sha256 expected {record.self_digest}, found {found}; {advice}"
        )
    return record
