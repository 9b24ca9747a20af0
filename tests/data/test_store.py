"""Layout of the store, its records and names."""

from pathlib import Path

import pytest

from data.errors import ConfigError, CorruptArtifact, MissingArtifact, StorageError
from data.store import GroupRecord, RunRecord, Store, check_name


def record(run: str = "first") -> RunRecord:
    return RunRecord(
        run=run,
        domain="gmm",
        config={"seed": 0, "iterations": 3},
        config_fingerprint="f",
        numerics={},
        package_version="0",
        created_at="2026-01-01T00:00:00+00:00",
    )


# As release 0.1.0 wrote them, before there were sweeps.
OLD_RUN = (
    b'{"schema_version": 1, "self_digest": '
    b'"bc870affe8b328412dde49e460592529ddbfc24b351d12db1e4e52e0f3414a30", "run": "old", '
    b'"domain": "gmm", "preset": null, "arm": null, "group": null, "config": {"seed": 0, '
    b'"iterations": 3}, "config_fingerprint": "f", "numerics": {"numpy": "2"}, '
    b'"accepted_numerics": [], "forked_from": null, "package_version": "0.1.0", '
    b'"created_at": "2026-01-01T00:00:00+00:00"}\n'
)
OLD_GROUP = (
    b'{"schema_version": 1, "self_digest": '
    b'"2b7a8ead931a5624c604dca4a4cb1eab1f59f97df8caa6bf2e27bb8421e60c9e", "group": "pair", '
    b'"domain": "gmm", "preset": null, "experiment": null, "members": [{"schema_version": 1, '
    b'"self_digest": "2b7a8ead931a5624c604dca4a4cb1eab1f59f97df8caa6bf2e27bb8421e60c9e", '
    b'"run": "old", "domain": "gmm", "preset": null, "arm": null, "group": null, "config": '
    b'{"seed": 0, "iterations": 3}, "config_fingerprint": "f", "numerics": {"numpy": "2"}, '
    b'"accepted_numerics": [], "forked_from": null, "package_version": "0.1.0", "created_at": '
    b'"2026-01-01T00:00:00+00:00"}]}\n'
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.create()
    return store


def test_creating_a_store_twice_changes_nothing(store: Store) -> None:
    before = (store.root / "store.json").read_bytes()
    store.create()
    assert (store.root / "store.json").read_bytes() == before


def test_a_record_reads_back_as_written(store: Store) -> None:
    assert store.create_run(record())
    found = store.read_run("first")
    assert found.config == {"seed": 0, "iterations": 3}
    assert store.run_names() == ["first"]


def test_records_of_the_release_before_sweeps_still_read_and_verify(store: Store) -> None:
    for folder, text in (
        (store.run_folder("old"), OLD_RUN),
        (store.group_folder("pair"), OLD_GROUP),
    ):
        folder.mkdir()
        (folder / ("run.json" if text is OLD_RUN else "group.json")).write_bytes(text)
    found, group = store.read_run("old"), store.find_group("pair")
    assert found.axes == {}
    assert group is not None
    assert group.axes is None
    assert [member.run for member in group.members] == ["old"]
    (store.run_folder("old") / "run.json").write_bytes(OLD_RUN.replace(b'"seed": 0', b'"seed": 1'))
    with pytest.raises(CorruptArtifact, match="sha256 expected"):
        store.read_run("old")


def test_a_second_run_of_the_same_name_is_not_created(store: Store) -> None:
    assert store.create_run(record())
    other = record().model_copy(update={"domain": "other"})
    assert not store.create_run(other)
    assert store.read_run("first").domain == "gmm"


def test_updating_a_record_replaces_it(store: Store) -> None:
    store.create_run(record())
    store.update_run(record().model_copy(update={"config": {"iterations": 9}}))
    assert store.read_run("first").config == {"iterations": 9}


def test_a_group_reads_back_as_written(store: Store) -> None:
    made = GroupRecord(group="pair", domain="gmm", members=(record("pair-a-s0"),))
    assert store.create_group(made)
    assert not store.create_group(made)
    found = store.find_group("pair")
    assert found is not None
    assert [member.run for member in found.members] == ["pair-a-s0"]
    assert store.group_names() == ["pair"]


@pytest.mark.parametrize(
    "name", ["../x", "", "x" * 300, "Upper", "-dash", "a/b", "a.b", "ü", "a\n"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name: expected 1 to 63 characters .* choose another"):
        check_name(name)


def test_a_long_wrong_name_is_not_repeated_in_full() -> None:
    with pytest.raises(ConfigError, match=r"\(300 characters\)"):
        check_name("x" * 300)


def test_a_missing_run_names_those_there_are(store: Store) -> None:
    store.create_run(record())
    with pytest.raises(MissingArtifact, match="no run 'second' in store .*; there is: first"):
        store.read_run("second")


def test_a_damaged_record_is_reported_with_both_digests(store: Store) -> None:
    store.create_run(record())
    path = store.run_folder("first") / "run.json"
    path.write_bytes(path.read_bytes().replace(b'"iterations": 3', b'"iterations": 4'))
    with pytest.raises(CorruptArtifact, match=r"run\.json: sha256 expected .*, found"):
        store.read_run("first")


def test_a_record_of_a_newer_release_is_refused(store: Store) -> None:
    store.create_run(record())
    path = store.run_folder("first") / "run.json"
    path.write_bytes(path.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 2'))
    with pytest.raises(CorruptArtifact, match="schema version 2 is newer than 1"):
        store.read_run("first")


def test_a_store_of_a_newer_release_is_refused(store: Store) -> None:
    (store.root / "store.json").write_text('{"schema_version": 7}')
    with pytest.raises(StorageError, match="schema version 7 is newer than 1"):
        store.create()


def test_a_store_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="expected a folder, found a file"):
        Store(tmp_path / "file").create()


@pytest.mark.parametrize("evaluated", [0, 1, 2, 5, 11])
def test_progress_counts_the_evaluated_models(store: Store, evaluated: int) -> None:
    for k in range(evaluated):
        folder = store.stage_folder("first", k - 1 if k else None, "evaluate")
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    assert store.models_evaluated("first", 10) == evaluated
