"""Shards: the same rows whoever makes them, and only the missing ones made."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from data import failpoints
from data.errors import BadNumbers, ProvenanceMismatch, StageFailed
from flows.rounds import rounds
from pluralist.listing import stage_digests
from tasks import shard_worker, shards
from tasks.context import RunContext
from tasks.places import Place
from tasks.shard_pool import MODULE, ShardPool
from tasks.stage import run_place
from tasks.worker_process import WorkerProcess, raise_error
from tests.flows.conftest import MakeRun

SAMPLE = Place(0, "sample")


def in_shards(workers: int) -> dict[str, Any]:
    """A round with 200 candidates in four shards."""
    return {
        "iterations": 1,
        "num_candidates": 200,
        "evaluation": {"num_samples": 40},
        "runtime": {"shard_rows": 50, "shard_workers": workers},
    }


def digests(context: RunContext) -> dict[str, str]:
    record = context.store.read_run(context.run)
    return {str(place): digest for place, digest in stage_digests(context.store, record)}


def workers_left() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if is_worker(one)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return MODULE in process.cmdline()
    except psutil.NoSuchProcess:  # ended meanwhile, or a zombie that some other test left
        return False


def stop_before_publishing_candidates(context: RunContext) -> None:
    """Run the loop until all shards of `sample` are committed, and the stage is not."""

    def stop(operation: str, path: Path) -> None:
        if operation == "before link" and path.parent.name == "sample":
            raise KeyboardInterrupt

    failpoints.install(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            rounds(context)
    finally:
        failpoints.install(None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """What the workers are asked for: stage and shards."""
    asked: list[tuple[str, list[int]]] = []
    make = ShardPool.make

    def noted(self: ShardPool, store: str, run: str, place: Place, shards: Any) -> None:
        asked.append((place.stage, list(shards)))
        make(self, store, run, place, shards)

    monkeypatch.setattr(ShardPool, "make", noted)
    return asked


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])  # 4 processes
def test_any_number_of_workers_gives_the_same_digests(
    make_run: MakeRun, asked: list[tuple[str, list[int]]], workers: int
) -> None:
    alone = make_run("alone", in_shards(1))
    assert asked == []
    shared = make_run("shared", in_shards(workers))
    assert asked == [("sample", [0, 1, 2, 3]), ("draw", [0, 1, 2, 3])]
    assert digests(shared) == digests(alone)
    assert shared.record.config_fingerprint == alone.record.config_fingerprint
    folder = shared.store.run_folder("shared")
    assert not list(folder.glob("*/*/shard-*")), "shards end with their stage"
    assert workers_left() == [], "workers end with the run"


def test_only_what_is_missing_or_damaged_is_made_again(
    make_run: MakeRun, asked: list[tuple[str, list[int]]], caplog: pytest.LogCaptureFixture
) -> None:
    context = make_run("cut", in_shards(1), run=False)
    stop_before_publishing_candidates(context)
    folder = context.folder(SAMPLE)
    shutil.rmtree(folder / "shard-0002")
    (rows,) = folder.glob("shard-0001/attempt-*/rows.parquet")
    rows.write_bytes(rows.read_bytes()[:-1])
    config = context.record.config | {
        "runtime": context.record.config["runtime"] | {"shard_workers": 2}
    }
    rounds(RunContext(context.store, context.record.model_copy(update={"config": config})))
    assert asked == [("sample", [1, 2]), ("draw", [0, 1, 2, 3])]
    assert "shard set aside in" in caplog.text
    assert digests(context) == digests(make_run("whole", in_shards(1)))


def test_shards_of_another_numerics_class_are_made_again(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_run("cut", in_shards(1), run=False)
    stop_before_publishing_candidates(context)
    made: list[tuple[str, int]] = []
    make = shards.make_shard

    def noted(context: RunContext, place: Place, table: Any, shard: int) -> Any:
        made.append((place.stage, shard))
        return make(context, place, table, shard)

    monkeypatch.setattr(shards, "make_shard", noted)
    other = context.numerics | {"numpy": "0.9"}
    marked = context.record.model_copy(update={"accepted_numerics": (other,)})
    later = RunContext(context.store, marked)
    later.numerics = other  # as on another machine, after --accept-numerics
    run_place(later, SAMPLE)
    assert made == [("sample", shard) for shard in range(4)]


def test_a_worker_of_another_numerics_class_makes_no_shard(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_run("mixed", in_shards(2), run=False)
    run_place(context, Place(None, "initial"))
    other = context.numerics | {"device_model": "another GPU"}
    monkeypatch.setattr(RunContext, "numerics", other)
    request = {"store": str(context.store.root), "run": "mixed", "iteration": 0, "stage": "sample"}
    text = "mixed: expected worker processes of the run's (.|\n)* -> another GPU\nmake equal GPUs"
    with pytest.raises(ProvenanceMismatch, match=text):
        raise_error(shard_worker.answer({**request, "shard": 0}))
    assert not context.folder(SAMPLE).exists()


def test_one_missing_shard_is_worth_no_worker(
    make_run: MakeRun, asked: list[tuple[str, list[int]]]
) -> None:
    context = make_run("cut", in_shards(2), run=False)
    stop_before_publishing_candidates(context)
    shutil.rmtree(context.folder(SAMPLE) / "shard-0003")
    rounds(RunContext(context.store, context.record))
    assert asked == [("sample", [0, 1, 2, 3]), ("draw", [0, 1, 2, 3])], "before the cut and after"


def test_an_error_of_a_worker_comes_back_as_itself(make_run: MakeRun) -> None:
    steep = [{"kind": "quadratic", "centre": [1e200, 0.0], "gamma": 1.0, "weight": 1.0}]
    context = make_run("steep", {**in_shards(2), "rewards": steep}, run=False)
    # Without the loop, which would evaluate p_0 first, so each stage has workers of its own.
    run_place(context, Place(None, "initial"))
    run_place(context, SAMPLE)
    with pytest.raises(BadNumbers, match="reward 'quadratic-1': expected finite scores, got -inf"):
        run_place(context, Place(0, "draw"))
    assert workers_left() == []


def test_a_killed_worker_is_worth_another_try_which_gives_the_same_digests(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    send = WorkerProcess.send

    def send_and_kill(self: WorkerProcess, request: dict[str, Any]) -> None:
        send(self, request)
        sent.append(request["shard"])
        if len(sent) == 3:  # one answer has come, so one shard is committed
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(WorkerProcess, "send", send_and_kill)
    context = make_run("killed", in_shards(2), run=False)
    text = (
        "killed iteration-0000/sample: expected the worker process of a shard to answer, it "
        "ended with signal 9.*lower runtime.shard_workers, then resume: committed shards are kept"
    )
    with pytest.raises(StageFailed, match=text):
        rounds(context)
    assert workers_left() == []
    assert list(context.folder(SAMPLE).glob("shard-*/manifest.json"))
    monkeypatch.undo()
    rounds(RunContext(context.store, context.record))
    assert digests(context) == digests(make_run("whole", in_shards(1)))
