"""Setting a damaged commit aside, so that its stage is computed again; nothing is deleted."""

import secrets
from pathlib import Path

from data.failpoints import reach
from data.files import storage_errors, sync_folder


def quarantine(folder: Path) -> Path:
    """Move stage folder `folder` with all it holds beside itself, to `quarantine-<id>-<name>`.

    One rename: the stage is either committed as it was or not committed at all. Returns the
    new folder.
    """
    aside = folder.with_name(f"quarantine-{secrets.token_hex(4)}-{folder.name}")
    with storage_errors(folder):
        reach("quarantine", folder)
        folder.rename(aside)
        sync_folder(folder.parent)
    return aside
