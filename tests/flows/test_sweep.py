"""Running a sweep in worker processes: digests, failures, resuming, the shared p_0."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import BadNumbers, CorruptArtifact
from data.quarantine import quarantine
from data.store import RunRecord, Store
from flows import sweep as sweep_module
from flows.progress import Step, listening
from flows.rounds import is_complete, rounds
from flows.sweep import Axis, MembersFailed, SweepOutcome, default_concurrency, run_sweep
from tasks.context import RunContext
from tasks.places import Place
from tests.flows.sweeps import NUM_PLACES, digests, make_sweep

STAGES = "runs/*/*/*/manifest.json"
TWO_SEEDS = [Axis("q", (0.1, 0.5)), Axis("seed", (0, 1))]


def run(store: Store, concurrency: int = 2) -> SweepOutcome:
    return run_sweep(str(store.root), "swept", concurrency=concurrency, prefect=False)


@pytest.mark.slow  # three sweeps
def test_one_and_two_processes_and_plain_runs_give_the_same_digests(tmp_path: Path) -> None:
    found = []
    for concurrency in (1, 2):
        store, records = make_sweep(tmp_path / str(concurrency), TWO_SEEDS)
        outcome = run(store, concurrency)
        assert outcome.completed == [record.run for record in records]
        assert outcome.failed == []
        found.append(digests(store, records))
    store, records = make_sweep(tmp_path / "plain", TWO_SEEDS)
    for record in records:
        rounds(RunContext(store, record))
    assert found[0] == found[1] == digests(store, records)
    assert all(len(places) == NUM_PLACES for places in found[0].values())


@pytest.mark.slow  # the initial model is made slow, so that processes meet
def test_the_shared_initial_model_is_made_once_by_processes_that_start_at_once(
    tmp_path: Path,
) -> None:
    # Slow enough that the other processes find the first one at work.
    points = {"initial": {"num_points": 300_000}, "generator": {"components": [[0, 4]]}}
    axes = [Axis("seed", (0, 1, 2))]
    store, records = make_sweep(tmp_path, axes, changes=points)
    outcome = run(store, 3)
    assert sorted(outcome.computed.values()) == [NUM_PLACES - 1] * 2 + [NUM_PLACES]
    (initial,) = (tmp_path / "initial").iterdir()
    assert len(list(initial.glob("attempt-*"))) == 1
    models = {places["initial"] for places in digests(store, records).values()}
    assert len(models) == 1


def test_a_failing_member_leaves_the_others_complete_and_is_named(tmp_path: Path) -> None:
    store, records = make_sweep(tmp_path, [Axis("distance", (1e200, 6)), Axis("seed", (0, 1))])
    outcome = run(store)
    assert outcome.completed == [record.run for record in records[2:]]
    assert [run for run, _ in outcome.failed] == [record.run for record in records[:2]]
    error = outcome.failed[0][1]
    assert isinstance(error, BadNumbers)
    assert str(error).startswith(f"{records[0].run}: reward 'quadratic-1': expected finite scores")
    assert [is_complete(store, record) for record in records] == [False, False, True, True]
    assert run(store).computed == {}, "what failed is tried again, what is complete is not"


def damage(store: Store, record: RunRecord) -> Path:
    """Take away the last model's evaluation and flip a bit of what it is made from."""
    context = RunContext(store, record)
    last = Place(record.config["iterations"] - 1, "evaluate")
    quarantine(context.folder(last))
    path = context.open_place(Place(last.iteration, "sample")).path("candidates.parquet")
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    return path


def quarantined(folder: Path) -> Path:
    """Set the stage aside; where its manifest was."""
    quarantine(folder)
    return folder / "manifest.json"


def test_a_damaged_member_fails_alone_and_only_what_is_missing_is_made_again(
    tmp_path: Path,
) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1, 2))])
    run(store)
    whole = digests(store, records)
    path = damage(store, records[1])
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob(STAGES)}

    outcome = run(store)
    ((failed, error),) = outcome.failed
    assert failed == records[1].run
    assert isinstance(error, CorruptArtifact)
    assert error.exit_code == 5
    assert path.name in str(error)
    assert outcome.completed == [records[0].run, records[2].run]

    del stamps[quarantined(path.parents[1])]
    assert run(store).computed == {records[1].run: 2}, "sample and evaluate"
    assert digests(store, records) == whole
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_a_stage_set_aside_in_the_middle_is_made_again(tmp_path: Path) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1))])
    run(store)
    quarantine(RunContext(store, records[0]).folder(Place(0, "select")))
    assert run(store).computed == {records[0].run: 1}


def test_a_finished_sweep_starts_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1))])
    run(store)
    monkeypatch.delattr(sweep_module, "WorkerPool")
    for prefect in (False, True):
        outcome = run_sweep(str(tmp_path), "swept", concurrency=2, prefect=prefect)
        assert outcome == SweepOutcome([record.run for record in records], [])


def test_progress_counts_members_from_those_that_were_complete(tmp_path: Path) -> None:
    store, records = make_sweep(tmp_path, [Axis("seed", (0, 1, 2))])
    rounds(RunContext(store, records[0]))
    steps: list[Step] = []
    with listening(steps.append):
        run(store)
    assert [(step.run, step.done, step.total) for step in steps] == [
        ("swept", 2, 3),
        ("swept", 3, 3),
    ]
    assert {str(step.outcome.place) for step in steps} == {record.run for record in records[1:]}


def interrupted_after(number: int) -> Callable[[Step], None]:
    def interrupt(step: Step) -> None:
        if step.done == number:
            raise KeyboardInterrupt

    return interrupt


@pytest.mark.slow  # three sweeps
def test_an_interrupted_sweep_ends_at_once_and_resumes_to_the_same_digests(tmp_path: Path) -> None:
    axes = [Axis("seed", tuple(range(6)))]
    store, records = make_sweep(tmp_path / "cut", axes)
    with listening(interrupted_after(2)), pytest.raises(KeyboardInterrupt):
        run(store)
    assert sum(is_complete(store, record) for record in records) < len(records)
    started = time.monotonic()
    outcome = run(store)
    assert len(outcome.computed) < len(records)
    assert time.monotonic() - started < 60
    whole, expected = make_sweep(tmp_path / "whole", axes)
    run(whole)
    assert digests(store, records) == digests(whole, expected)


def test_the_failure_of_a_flow_carries_the_outcome_and_ends_like_the_first_member() -> None:
    outcome = SweepOutcome(["a"], [("b", BadNumbers("b: nan")), ("c", CorruptArtifact("c: gone"))])
    failure = MembersFailed(outcome)
    assert str(failure) == "2 of 3 members failed: b: nan"
    assert failure.exit_code == 4
    assert failure.outcome is outcome


def test_members_with_many_threads_run_fewer_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "usable_cores", lambda: 8)
    _, records = make_sweep(tmp_path, [Axis("runtime.threads", (1, 3))])
    assert default_concurrency(records[:1]) == 8
    assert default_concurrency(records) == 2
    _, records = make_sweep(tmp_path, [Axis("runtime.shard_workers", (1, 4))], "shared")
    assert default_concurrency(records) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 4), ({"shard_workers": 2}, 2), ({"shard_workers": 9}, 1)],
    ids=["alone", "two", "more than there are"],
)
def test_members_on_gpus_run_as_many_at_a_time_as_there_are(
    changes: dict[str, int], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "usable_cores", lambda: 64)
    monkeypatch.setattr(sweep_module, "num_gpus", lambda: 4)
    _, records = make_sweep(tmp_path, [Axis("seed", (0, 1))])
    runtime = records[0].config["runtime"] | {"device": "cuda"} | changes
    config = records[0].config | {"runtime": runtime}
    on_gpu = [record.model_copy(update={"config": config}) for record in records]
    assert default_concurrency(on_gpu) == expected
