"""SIGKILL of a run whose shards several processes share: no worker left, the same digests."""

import signal
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import psutil
import pytest

from tasks.shard_pool import MODULE
from tests.flows.killed_process import MARK, share, share_until
from tests.flows.test_kill import committed, run_child, server

__all__ = ["server"]


def workers_left(root: Path) -> list[psutil.Process]:
    """Workers of the killed process for that store; other tests may have theirs."""
    left = []
    for one in psutil.process_iter(["cmdline", "environ"]):
        cmdline, environ = one.info["cmdline"] or [], one.info["environ"] or {}
        if MODULE in cmdline and environ.get(MARK) == str(root):
            left.append(one)
    return left


@pytest.mark.slow  # a dozen processes that import the loop
@pytest.mark.parametrize("answers", [1, 3, 6, 7, 11])
def test_a_run_killed_between_its_shards_resumes_to_the_same_digests(
    tmp_path: Path, server: ForkServerContext, answers: int
) -> None:
    root, whole = tmp_path / "killed", tmp_path / "whole"
    assert run_child(server, share_until, root, answers) == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while workers_left(root):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    stage = "sample" if answers <= 6 else "draw"
    shards = list(root.glob(f"runs/killed/iteration-0000/{stage}/shard-*/manifest.json"))
    assert len(shards) >= (answers - 1) % 6 + 1, "what was answered is committed"

    assert run_child(server, share, whole, 1) == 0
    assert run_child(server, share, root, 2) == 0
    assert committed(root) == committed(whole)
