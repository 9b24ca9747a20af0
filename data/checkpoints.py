"""Checkpoints inside a long stage: committed like a stage, gone when the stage is published."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.artifact import find_artifact
from data.commit import Attempt
from data.errors import CorruptArtifact
from data.files import discard_folder
from data.quarantine import quarantine

LOG = logging.getLogger("pluralist.checkpoints")


class CheckpointFolder:
    """Numbered checkpoints of one stage with one fingerprint.

    A checkpoint written under another fingerprint is never seen, because the fingerprint is
    part of the folder's name.
    """

    def __init__(self, stage_folder: Path, *, fingerprint: str) -> None:
        self.path = stage_folder / f"checkpoint-{fingerprint[:16]}"
        self._fingerprint = fingerprint

    def latest(self) -> tuple[dict[str, Any], Path] | None:
        """Position and verified folder of the newest sound checkpoint, or None.

        A damaged one is set aside with a warning: the stage starts again from before it.
        """
        for number in sorted(self._numbers(), reverse=True):
            folder = self.path / f"{number:06d}"
            try:
                artifact = find_artifact(folder)
                if artifact is not None and artifact.fingerprint == self._fingerprint:
                    return artifact.json("position.json"), artifact.verified_folder("state")
            except CorruptArtifact as error:
                LOG.warning("checkpoint set aside in %s: %s", quarantine(folder), error)
        return None

    def commit(self, position: dict[str, Any], write: Callable[[Path], None]) -> None:
        """Commit what `write` puts into a new folder, with `position` (plain values) beside it.

        Older checkpoints are removed afterwards, so one complete checkpoint always exists.
        """
        number = max(self._numbers(), default=-1) + 1
        with Attempt(self.path / f"{number:06d}") as attempt:
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

    def _numbers(self) -> list[int]:
        if not self.path.is_dir():
            return []
        return [int(path.name) for path in self.path.iterdir() if re.fullmatch(r"\d{6}", path.name)]
