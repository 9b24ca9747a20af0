"""Checkpoints inside a long stage: committed like a stage, gone when the stage is published."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.artifact import Artifact, find_artifact
from data.commit import Attempt
from data.files import discard_folder


class CheckpointFolder:
    """Numbered checkpoints of one stage with one fingerprint.

    A checkpoint written under another fingerprint is never seen, because the fingerprint is
    part of the folder's name.
    """

    def __init__(self, stage_folder: Path, *, root: Path, fingerprint: str) -> None:
        self.path = stage_folder / f"checkpoint-{fingerprint[:16]}"
        self._root = root
        self._fingerprint = fingerprint

    def latest(self) -> tuple[dict[str, Any], Path] | None:
        """Position and verified folder of the newest checkpoint, or None.

        Raises `CorruptArtifact` when its bytes are not what was committed.
        """
        found = self._newest()
        if found is None:
            return None
        _, artifact = found
        return artifact.json("position.json"), artifact.verified_folder("state")

    def commit(self, position: dict[str, Any], write: Callable[[Path], None]) -> None:
        """Commit what `write` puts into a new folder, with `position` (plain values) beside it.

        Older checkpoints are removed afterwards, so one complete checkpoint always exists.
        """
        newest = self._newest()
        number = newest[0] + 1 if newest else 0
        with Attempt(self.path / f"{number:06d}", root=self._root) as attempt:
            attempt.write_json("position.json", position)
            attempt.write_folder("state", write)
            attempt.publish(
                run=None, iteration=None, stage="checkpoint", fingerprint=self._fingerprint
            )
        for other in self._numbers():
            if other < number:
                discard_folder(self.path / f"{other:06d}")

    def discard(self) -> None:
        """Remove all checkpoints; called once the stage itself is published."""
        discard_folder(self.path)

    def _newest(self) -> tuple[int, Artifact] | None:
        for number in sorted(self._numbers(), reverse=True):
            artifact = find_artifact(self.path / f"{number:06d}")
            if artifact is not None and artifact.fingerprint == self._fingerprint:
                return number, artifact
        return None

    def _numbers(self) -> list[int]:
        if not self.path.is_dir():
            return []
        return [int(path.name) for path in self.path.iterdir() if re.fullmatch(r"\d{6}", path.name)]
