"""Workers of shards: warm over the stages of a run, replaced when dead, one GPU each."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tasks.places import Place
from tasks.shard_pool import ShardPool, shard_pool
from tasks.stage import run_place
from tests.flows.conftest import MakeRun

IN_SHARDS = {"iterations": 1, "runtime": {"shard_rows": 50, "shard_workers": 2}}
SAMPLE, DRAW = Place(0, "sample"), Place(0, "draw")


def test_workers_stay_warm_between_stages_and_dead_ones_are_replaced(make_run: MakeRun) -> None:
    context = make_run("warm", IN_SHARDS, run=False)
    with shard_pool(context) as pool:
        run_place(context, Place(None, "initial"))
        assert pool.pids == [], "started when first needed"
        run_place(context, SAMPLE)
        first, second = pool.pids
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        run_place(context, DRAW)
        assert second in pool.pids
        assert first not in pool.pids
        assert len(pool.pids) == 2
        pids = pool.pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_run_has_one_pool_wherever_it_is_asked_for(make_run: MakeRun) -> None:
    context, other = make_run("one", run=False), make_run("other", run=False)
    with shard_pool(context) as outer:
        with shard_pool(type(context)(context.store, context.record)) as inner:
            assert inner is outer, "a Prefect task has a context of its own"
        with shard_pool(other) as another:
            assert another is not outer
    with shard_pool(context) as later:
        assert later is not outer


def test_no_more_workers_are_started_than_there_are_shards(make_run: MakeRun) -> None:
    context = make_run("few", IN_SHARDS)
    pool = ShardPool(size=4, threads=1, device="cpu")
    try:
        for _ in range(2):  # both shards are committed already by the second time
            pool.make(str(context.store.root), "few", SAMPLE, [0])
        assert len(pool.pids) == 1
    finally:
        pool.close()
    assert pool.pids == []


UNGUARDED = """
import sys
from pathlib import Path
from flows.rounds import rounds
from tasks.context import RunContext
rounds(RunContext.open(Path(sys.argv[1]), "script"))
print("prefect" in sys.modules, *sys.argv[1:])
"""


def test_a_script_without_a_main_guard_may_share_its_shards(
    make_run: MakeRun, tmp_path: Path
) -> None:
    context = make_run("script", IN_SHARDS, run=False)
    root = str(context.store.root)
    done = subprocess.run(
        [sys.executable, "-", root], input=UNGUARDED, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"False {root}\n"
