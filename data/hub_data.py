"""Files of data sets on the Hugging Face hub, each at a pinned commit."""

from pathlib import Path
from typing import NamedTuple

from data.errors import EnvironmentProblem
from data.installation import imported


class HubDataSet(NamedTuple):
    """A data set of the hub; `name` is what messages call it.

    `include` is the pattern of the files of it that are read, None for all.
    """

    name: str
    repo: str
    revision: str
    include: str | None = None

    @property
    def fetch(self) -> str:
        """Command that brings it into the hub's cache."""
        files = f" --include '{self.include}'" if self.include else ""
        return f"hf download {self.repo} --repo-type dataset --revision {self.revision}{files}"


def check_path(origin: str, path: str | None, *, name: str) -> None:
    """Raise `ValueError` for an origin other than the hub without the folder of data set `name`."""
    if path is None and origin != "hub":
        raise ValueError(
            f"path: expected the folder of {name} for origin {origin!r}, got none; set it, or set "
            "origin to hub"
        )


def hub_file(source: HubDataSet, file: str, *, cache: str | None, instead: str) -> Path:
    """Path of one file; `cache` is the hub's cache folder, None its usual one.

    Files in the cache are used without a connection. `datasets.load_dataset` would not do
    that: it asks the hub first, and offline knows only what it has itself converted.
    Raises `EnvironmentProblem` with the command that fetches them and what to do `instead`.
    """
    user = f"data set {source.name}"
    hub = imported("huggingface_hub", user=user)
    try:
        found = hub.hf_hub_download(
            source.repo, file, repo_type="dataset", revision=source.revision, cache_dir=cache
        )
    except Exception as error:
        # The client's errors have no base of their own. Not their text: an address can be signed.
        command = source.fetch + (f" --cache-dir {cache}" if cache else "")
        raise EnvironmentProblem(
            f"{user}: expected {file} of {source.repo} in the hub's cache or from the network, "
            f"got {type(error).__name__}; run `{command}` where there is a network, or "
            f"{instead}"
        ) from error
    return Path(found)
