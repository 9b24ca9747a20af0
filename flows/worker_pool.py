"""Warm worker processes that serve any number of members of a sweep.

Not `concurrent.futures`: there one killed worker fails every waiting member, an interpreter is
started from whatever the main module is, and Ctrl-C reaches the workers too.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self

from data import errors
from data.errors import PluralistError, StageFailed

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class PoolClosed(Exception):
    """The pool ended its workers before they could answer."""


class WorkerPool:
    """At most `size` worker processes for the store at `store`, started when first needed.

    Each limits numerical libraries to `threads` threads. Callable from many threads. Workers
    end with this process, however it ends.
    """

    def __init__(self, store: str, *, size: int, threads: int = 1) -> None:
        self._store = store
        self._threads = threads
        self._places = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._workers: set[subprocess.Popen[str]] = set()
        self._idle: list[subprocess.Popen[str]] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers there are."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    def run(self, run: str) -> int:
        """Have a worker finish `run`, waiting for a free one; number of places it computed.

        Raises what the run raised, its message led by the run's name; `StageFailed` when the
        worker was killed; `PoolClosed` when the pool is closed meanwhile.
        """
        with self._places:
            worker = self._take()
            try:
                line = _ask(worker, {"store": self._store, "run": run})
            except OSError:
                line = ""  # it died before it could read
            if not line:
                raise self._bury(worker, run)
            self._give_back(worker)
        return _computed(run, json.loads(line))

    def close(self) -> None:
        """End all workers at once; whoever waits for one gets `PoolClosed`."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, set()
            idle, self._idle = self._idle, []
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait()
        for worker in idle:
            _close_pipes(worker)  # those of the others, by the threads that read them

    def _take(self) -> "subprocess.Popen[str]":
        with self._lock:
            if self._closed:
                raise PoolClosed("the workers of this sweep have ended")
            if self._idle:
                return self._idle.pop()
            worker = _start(self._threads)
            self._workers.add(worker)
            return worker

    def _give_back(self, worker: "subprocess.Popen[str]") -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        _close_pipes(worker)

    def _bury(self, worker: "subprocess.Popen[str]", run: str) -> Exception:
        """What to raise for a worker that went without an answer."""
        code = worker.wait()
        _close_pipes(worker)
        with self._lock:
            if self._closed:
                return PoolClosed("the workers of this sweep have ended")
            self._workers.discard(worker)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return StageFailed(
            f"{run}: expected its worker process to answer, it ended with {how}, which a lack of "
            "memory would explain; lower --concurrency, then resume"
        )


def usable_cores() -> int:
    """Number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(threads: int) -> "subprocess.Popen[str]":
    # The worker imports from where this process does, whatever its working directory is.
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    level = logging.getLogger("pluralist").getEffectiveLevel()
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "flows.sweep_worker", str(level)],
        env={**os.environ, "PYTHONPATH": path, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _ask(worker: "subprocess.Popen[str]", request: dict[str, Any]) -> str:
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write(json.dumps(request) + "\n")
    worker.stdin.flush()
    return worker.stdout.readline()


def _close_pipes(worker: "subprocess.Popen[str]") -> None:
    for pipe in (worker.stdin, worker.stdout):
        assert pipe is not None
        try:
            pipe.close()
        except OSError:
            continue  # a request the dead worker never read


def _computed(run: str, answer: dict[str, Any]) -> int:
    if "error" not in answer:
        return int(answer["computed"])
    kind = getattr(errors, answer["error"] or PluralistError.__name__)
    raise kind(f"{run}: {answer['message']}")
