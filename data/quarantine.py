"""Setting a damaged commit aside, so that its stage is computed again; nothing is deleted."""

import secrets
from pathlib import Path

from data.files import storage_errors, sync_folder
from data.manifest import MANIFEST


def quarantine(folder: Path) -> Path:
    """Move the commit in stage folder `folder` into a new folder `quarantine-<id>` there.

    The manifest goes first: without it the stage counts as not committed, so a kill in between
    leaves a stage to compute, never one that points to missing bytes. Returns the new folder.
    """
    aside = folder / f"quarantine-{secrets.token_hex(4)}"
    with storage_errors(folder):
        aside.mkdir()
        (folder / MANIFEST).rename(aside / MANIFEST)
        sync_folder(folder)
        for attempt in sorted(folder.glob("attempt-*")):
            attempt.rename(aside / attempt.name)
        sync_folder(folder)
    return aside
