import hashlib
import subprocess
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError
from pydantic import ValidationError

from data.errors import EnvironmentProblem, WeightsNotAtHand
from data.published_weights import (
    PublishedWeights,
    find_all,
    find_files,
    folder_digest,
    weights_digest,
    without_fetching,
)

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PINNED = PublishedWeights(repo="owner/model", revision="a" * 40)
NAMES = ("model.bin", "config.json")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache of a machine without network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def fill(cache: Path, *names: str) -> Path:
    """The snapshot of `PINNED` with some files, laid out as the hub's library does."""
    model = cache / "models--owner--model"
    snapshot = model / "snapshots" / PINNED.revision
    snapshot.mkdir(parents=True)
    (model / "blobs").mkdir()
    blob = model / "blobs" / DIGEST
    blob.write_bytes(CONTENT)
    for name in names:
        (snapshot / name).symlink_to(blob)
    return snapshot


def given(folder: Path, sha256: str = DIGEST) -> PublishedWeights:
    return PINNED.model_copy(update={"folder": str(folder), "sha256": sha256})


def test_a_folder_with_the_files_is_used_as_it_is(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(CONTENT)
    assert find_files(given(tmp_path, folder_digest(tmp_path, NAMES)), NAMES) == tmp_path
    assert find_files(given(tmp_path), NAMES[:1]) == tmp_path, "one file is its own digest"


def test_every_file_of_a_folder_is_in_its_digest(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(CONTENT)
    weights = given(tmp_path, folder_digest(tmp_path, NAMES))
    (tmp_path / "config.json").write_bytes(b"{}")
    text = f"expected SHA-256 {weights.sha256} of config.json, model.bin, got [0-9a-f]+; put the"
    with pytest.raises(EnvironmentProblem, match=text):
        find_files(weights, NAMES)


def test_the_digest_of_a_folder_is_what_the_shell_prints(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(CONTENT)
    (tmp_path / "config.json").write_bytes(b"{}")
    command = ["sh", "-c", "sha256sum config.json model.bin | sha256sum"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert printed.stdout.split()[0] == folder_digest(tmp_path, NAMES)


def test_a_file_missing_in_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(CONTENT)
    with pytest.raises(
        EnvironmentProblem, match=r"expected the files model.bin, config.json .* got no config.json"
    ):
        find_files(given(tmp_path), NAMES)


def test_another_digest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"other")
    got = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(
        EnvironmentProblem, match=f"expected SHA-256 {DIGEST} of model.bin, got {got}; put"
    ):
        find_files(given(tmp_path), NAMES[:1])


def test_cached_files_are_found_without_a_network(cache: Path) -> None:
    snapshot = fill(cache, *NAMES)
    assert find_files(PINNED, NAMES) == snapshot


@pytest.mark.parametrize("cached", [[], ["model.bin"]], ids=["nothing", "a part"])
def test_what_is_neither_cached_nor_fetched_comes_with_the_command(
    cache: Path, cached: list[str]
) -> None:
    if cached:
        fill(cache, *cached)
    with pytest.raises(EnvironmentProblem) as caught:
        find_files(PINNED, NAMES)
    assert caught.value.exit_code == 7
    command = f"`hf download owner/model model.bin config.json --revision {'a' * 40}`"
    assert command in str(caught.value)


def test_what_is_not_cached_is_fetched_at_the_pinned_commit(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def snapshot_download(repo: str, *, local_files_only: bool, **wanted: Any) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("nothing")
        assert (repo, wanted["revision"]) == (PINNED.repo, PINNED.revision)
        return str(fill(cache, *wanted["allow_patterns"]))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert (find_files(PINNED, NAMES) / "config.json").read_bytes() == CONTENT


@pytest.mark.usefixtures("cache")
def test_a_gated_repository_asks_for_a_token_and_gives_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def snapshot_download(*_: Any, local_files_only: bool, **__: Any) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("nothing")
        # Its constructor wants an answer of the hub.
        raise GatedRepoError.__new__(GatedRepoError)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(EnvironmentProblem, match="expected the environment variable HF_TOKEN") as e:
        find_files(PINNED, NAMES)
    assert e.value.exit_code == 7
    command = f"`hf download owner/model model.bin config.json --revision {'a' * 40}`"
    assert command in str(e.value) and "https://huggingface.co/owner/model" in str(e.value)


def test_a_file_the_commit_does_not_have_is_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = fill(cache, "model.bin")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(snapshot))
    with pytest.raises(EnvironmentProblem, match=r"nor fetched \(no config.json\)"):
        find_files(PINNED, NAMES)


def test_files_of_github_are_fetched_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[str] = []
    (tmp_path / "remote").write_bytes(CONTENT)

    def urlopen(address: str, timeout: float) -> Any:
        addresses.append(address)
        return (tmp_path / "remote").open("rb")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    weights = PINNED.model_copy(update={"host": "github", "sha256": DIGEST})
    for _ in range(2):
        assert (find_files(weights, ["a+b.pth"]) / "a+b.pth").read_bytes() == CONTENT
    commit = PINNED.revision
    assert addresses == [f"https://raw.githubusercontent.com/owner/model/{commit}/a%2Bb.pth"]


def test_github_out_of_reach_gives_the_command(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def urlopen(address: str, timeout: float) -> Any:
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    weights = PINNED.model_copy(update={"host": "github"})
    with pytest.raises(EnvironmentProblem, match=r"run `curl .* -o '.*a.pth' https://raw.*/a.pth`"):
        find_files(weights, ["a.pth"])


def test_a_blob_of_the_hubs_cache_is_its_own_digest(cache: Path, tmp_path: Path) -> None:
    snapshot = fill(cache, "model.bin")
    # Shows that the name is read, not the content.
    (snapshot / "model.bin").resolve().write_bytes(b"changed")
    assert weights_digest(snapshot / "model.bin") == DIGEST
    (tmp_path / "blobs").mkdir()
    small = tmp_path / "blobs" / ("b" * 40)  # git's digest, which the hub gives small files
    small.write_bytes(CONTENT)
    (tmp_path / "link").symlink_to(small)
    assert weights_digest(tmp_path / "link") == DIGEST


def test_a_folder_needs_a_digest_because_it_is_in_no_fingerprint() -> None:
    with pytest.raises(ValidationError, match="expected sha256 beside folder '/weights', got none"):
        PublishedWeights(repo="o/m", revision="a" * 40, folder="/weights")
    part = given(Path("/weights")).fingerprint_part()
    assert "folder" not in part and part["sha256"] == DIGEST


def test_a_branch_is_no_pinned_revision() -> None:
    with pytest.raises(ValidationError, match="revision"):
        PublishedWeights(repo="o/m", revision="main")


def test_weights_are_of_a_publication_by_commit_or_by_digest() -> None:
    known = PINNED.model_copy(update={"sha256": DIGEST})
    assert PINNED.is_of(PINNED) and PINNED.is_of(known) and known.is_of(PINNED)
    assert given(Path("/weights")).is_of(known)
    assert not given(Path("/weights")).is_of(PINNED)
    assert not given(Path("/weights"), "0" * 64).is_of(known)
    assert not PINNED.model_copy(update={"revision": "b" * 40}).is_of(PINNED)


def test_everything_that_is_not_at_hand_is_named_at_once(cache: Path, tmp_path: Path) -> None:
    other = PINNED.model_copy(update={"repo": "owner/other"})
    asked = [partial(find_files, one, NAMES) for one in (PINNED, other, other)]
    with pytest.raises(WeightsNotAtHand) as caught:
        find_all(asked)
    assert caught.value.repos == ("owner/model", "owner/other")
    leads = [line.partition(":")[0] for line in str(caught.value).splitlines()]
    assert leads == ["weights of owner/model", "weights of owner/other"]
    fill(cache, *NAMES)
    assert find_all(asked[:1]) == [find_files(PINNED, NAMES)]
    damaged = partial(find_files, given(tmp_path), NAMES)
    with pytest.raises(EnvironmentProblem, match="expected the files") as wrong:
        find_all([asked[1], damaged])
    assert not isinstance(wrong.value, WeightsNotAtHand)


@pytest.mark.parametrize("host", ["hub", "github"])
def test_without_fetching_nothing_is_asked_of_a_network(
    cache: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> str:
        raise AssertionError("asked")

    weights = PINNED.model_copy(update={"host": host})
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with without_fetching():
        with pytest.raises(WeightsNotAtHand, match=r"nor fetched \(not tried\); where there is"):
            find_files(weights, NAMES)
        if host == "hub":
            fill(cache, *NAMES)
            assert find_files(weights, NAMES).is_dir()
