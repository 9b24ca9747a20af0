"""Where a published model's files come from: a pinned commit, or a folder with a digest."""

import hashlib
import re
import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import model_validator

from data.configuration import FrozenConfig, setting
from data.errors import EnvironmentProblem, WeightsNotAtHand
from data.files import digest_file

SHA256 = r"^[0-9a-f]{64}$"
NOT_TRIED = "not tried"
RAW = "https://raw.githubusercontent.com"
Found = TypeVar("Found")
_MAY_FETCH = ContextVar("may_fetch", default=True)


class PublishedWeights(FrozenConfig):
    """Files of one published model, read from the pinned commit or from `folder`.

    A gated repository needs the user's token in the environment (`HF_TOKEN`); it is never
    part of a configuration.
    """

    repo: str = setting(..., "repository, owner/name", "O")
    revision: str = setting(..., "commit of the repository", "O", pattern=r"^[0-9a-f]{40}$")
    host: Literal["hub", "github", "stand-in"] = setting(
        "hub",
        "Hugging Face hub, GitHub, or stand-in: a tiny random model of the same layout, made anew "
        "in every process, to rehearse with",
        "O",
    )
    folder: str | None = setting(
        None, "folder with the files, instead of fetched ones", "O", location=True
    )
    sha256: str | None = setting(
        None,
        "SHA-256 of the first file, checked on load; needed with `folder`, then that of all files",
        "O",
        pattern=SHA256,
    )

    @model_validator(mode="after")
    def _check_digest(self) -> Self:
        # A folder is in no fingerprint: without a digest other weights would look like these.
        if self.folder is not None and self.sha256 is None:
            raise ValueError(
                f"expected sha256 beside folder {self.folder!r}, got none; give the SHA-256 of its "
                "one file (`sha256sum FILE`) or of its files in the order of LC_ALL=C (`sha256sum "
                "FILES | sha256sum`, in the folder)"
            )
        return self

    @property
    def stand_in(self) -> Self:
        """A tiny random model in their place, of which no file is needed."""
        return self.model_copy(update={"host": "stand-in", "folder": None, "sha256": None})

    def is_of(self, published: "PublishedWeights") -> bool:
        """Whether these are sure to be the weights of `published`, by commit or by digest."""
        if self.sha256 is not None and published.sha256 is not None:
            return self.sha256 == published.sha256
        pinned = ("repo", "revision", "host")
        same = all(getattr(self, name) == getattr(published, name) for name in pinned)
        return self.folder is None and same


def find_files(
    weights: PublishedWeights,
    names: Sequence[str],
    *,
    optional: Sequence[str] = (),
    command: str | None = None,
) -> Path:
    """Folder with all files `names`, fetched from the hub together with those `optional` it has.

    `sha256` is the digest of the first where a commit pins them, and of all in a given folder.
    Fetches what neither the folder nor a cache holds. Raises `WeightsNotAtHand` for what cannot be
    fetched, with the command that fetches it from the hub (`command` where `names` are not all
    there is to fetch), `EnvironmentProblem` for a given folder without it and for another digest.
    """
    assert weights.host != "stand-in", "whoever offers stand-ins makes them"
    if weights.folder:
        folder = _given_folder(weights, names)
    else:
        folder = _fetched(weights, names, optional, command)
    checked = names if weights.folder else names[:1]
    if weights.sha256 is not None and (got := folder_digest(folder, checked)) != weights.sha256:
        raise EnvironmentProblem(
            f"{folder}: expected SHA-256 {weights.sha256} of {', '.join(sorted(checked))}, got "
            f"{got}; put the files of {weights.repo} there, or correct the configured sha256"
        )
    return folder


def find_all(finds: Iterable[Callable[[], Found]]) -> list[Found]:
    """What each of them finds, every one asked.

    Raises one `WeightsNotAtHand` for all that is not at hand, and any other error at once. After
    the first that cannot be fetched nothing is fetched any more: it would be of no use alone.
    """
    found: list[Found] = []
    absent: list[WeightsNotAtHand] = []
    for find in finds:
        try:
            with without_fetching() if absent else nullcontext():
                found.append(find())
        except WeightsNotAtHand as problem:
            absent.append(problem)
    if absent:
        repos = dict.fromkeys(repo for problem in absent for repo in problem.repos)
        raise WeightsNotAtHand("\n".join(dict.fromkeys(map(str, absent))), repos=tuple(repos))
    return found


@contextmanager
def without_fetching() -> Iterator[None]:
    """Only what is on this machine is found inside."""
    before = _MAY_FETCH.set(False)
    try:
        yield
    finally:
        _MAY_FETCH.reset(before)


def folder_digest(folder: Path, names: Sequence[str]) -> str:
    """SHA-256 of one file, or of what `sha256sum` prints of several in order of their names.

    Settings count as much as weights: both decide scores.
    """
    digests = {name: weights_digest(folder / name) for name in sorted(names)}
    if len(digests) == 1:
        return digests[names[0]]
    lines = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def weights_digest(path: Path) -> str:
    """SHA-256 of a file.

    The hub's cache links large files to blobs that carry their SHA-256 as name; that name is
    taken for it, since hashing gigabytes at every start costs longer than scoring a batch.
    """
    blob = path.resolve()
    if path.is_symlink() and blob.parent.name == "blobs" and re.fullmatch(SHA256, blob.name):
        return blob.name
    return digest_file(path).sha256


def _given_folder(weights: PublishedWeights, names: Sequence[str]) -> Path:
    folder = Path(weights.folder or "")
    if missing := _missing(folder, names):
        raise EnvironmentProblem(
            f"{folder}: expected the files {', '.join(names)} of {weights.repo}, got no "
            f"{', '.join(missing)}; put them there, or leave `folder` out to have them fetched"
        )
    return folder


def _fetched(
    weights: PublishedWeights, names: Sequence[str], optional: Sequence[str], command: str | None
) -> Path:
    if weights.host == "github":
        return _from_github(weights, names)
    given = f"hf download {weights.repo} {' '.join(names)} --revision {weights.revision}"
    if optional:
        # A pattern may be in vain, a name may not.
        given = download(weights, (*names, *optional))
    return _from_hub(weights, names, optional, command or given)


def download(weights: PublishedWeights, patterns: Sequence[str]) -> str:
    """Command that fetches from the hub what there is of these files."""
    included = " ".join(f"--include '{pattern}'" for pattern in patterns)
    return f"hf download {weights.repo} {included} --revision {weights.revision}"


def _from_hub(
    weights: PublishedWeights, names: Sequence[str], optional: Sequence[str], command: str
) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    def snapshot(*, local: bool) -> Path:
        return Path(
            snapshot_download(
                weights.repo,
                revision=weights.revision,
                allow_patterns=[*names, *optional],
                local_files_only=local,
            )
        )

    try:
        folder = snapshot(local=True)
    except LocalEntryNotFoundError:
        folder = Path()
    if _missing(folder, names) and not _MAY_FETCH.get():
        raise _not_fetched(weights, names, NOT_TRIED, command)
    try:
        # A snapshot may be there with some of its files only.
        folder = snapshot(local=False) if _missing(folder, names) else folder
    except GatedRepoError as error:
        raise WeightsNotAtHand(
            f"weights of {weights.repo}: expected the environment variable HF_TOKEN to hold a "
            "token that may read this gated repository, got none that does; accept its terms at "
            f"https://huggingface.co/{weights.repo}, set HF_TOKEN and run `{command}`",
            repos=(weights.repo,),
        ) from error
    except Exception as error:
        # Whatever the library or its HTTP client raises (network, proxy, access, disk) asks for
        # the same. Not the error's text: an address in it can be signed.
        raise _not_fetched(weights, names, type(error).__name__, command) from error
    if missing := _missing(folder, names):
        raise _not_fetched(weights, names, f"no {', '.join(missing)}", command)
    return folder


def _from_github(weights: PublishedWeights, names: Sequence[str]) -> Path:
    from huggingface_hub import cached_assets_path

    owner = weights.repo.replace("/", "--")
    folder = cached_assets_path("pluralist", namespace=owner, subfolder=weights.revision)
    for name in _missing(folder, names):
        address = f"{RAW}/{weights.repo}/{weights.revision}/{urllib.parse.quote(name)}"
        partial = folder / f"{name}.partial"
        command = f"curl --fail --location --create-dirs -o '{folder / name}' {address}"
        if not _MAY_FETCH.get():
            raise _not_fetched(weights, names, NOT_TRIED, command)
        try:
            with urllib.request.urlopen(address, timeout=30) as source, partial.open("wb") as file:  # noqa: S310
                shutil.copyfileobj(source, file)
        except OSError as error:
            raise _not_fetched(weights, names, type(error).__name__, command) from error
        partial.replace(folder / name)
    return folder


def _missing(folder: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if not (folder / name).is_file()]


def _not_fetched(
    weights: PublishedWeights, names: Sequence[str], got: str, command: str
) -> WeightsNotAtHand:
    return WeightsNotAtHand(
        f"weights of {weights.repo}: expected {', '.join(names)} of commit {weights.revision}, "
        f"neither cached here nor fetched ({got}); where there is a network run `{command}`, or "
        "set `folder` and `sha256` to a copy",
        repos=(weights.repo,),
    )
