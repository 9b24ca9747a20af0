"""Warm worker processes that serve any number of members of a sweep."""

import os
import threading
from types import TracebackType
from typing import Any, Self

from data.errors import StageFailed
from tasks.gpus import gpu_environment
from tasks.worker_process import WorkerProcess, lowest_free, raise_error

MODULE = "flows.sweep_worker"


class PoolClosed(Exception):
    """The pool ended its workers before they could answer."""


class WorkerPool:
    """At most `size` worker processes for the store at `store`, started when first needed.

    Each limits numerical libraries to `threads` threads and sees `gpus` GPUs, or all for 0.
    Callable from many threads. Workers end with this process, however it ends.
    """

    def __init__(self, store: str, *, size: int, threads: int = 1, gpus: int = 0) -> None:
        self._store = store
        self._threads = threads
        self._gpus = gpus
        self._places = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._workers: dict[WorkerProcess, int] = {}  # each with its number
        self._idle: list[WorkerProcess] = []
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
            answer = _ask(worker, {"store": self._store, "run": run})
            if answer is None:
                raise self._bury(worker, run)
            self._give_back(worker)
        raise_error(answer, run)
        return int(answer["computed"])

    def close(self) -> None:
        """End all workers at once; whoever waits for one gets `PoolClosed`."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, {}
            idle, self._idle = self._idle, []
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait()
        for worker in idle:
            worker.close_pipes()  # those of the others, by the threads that read them

    def _take(self) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise PoolClosed("the workers of this sweep have ended")
            if self._idle:
                return self._idle.pop()
            free = lowest_free(self._workers.values())
            environment = gpu_environment(free, width=self._gpus) if self._gpus else {}
            worker = WorkerProcess(MODULE, threads=self._threads, environment=environment)
            self._workers[worker] = free
            return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.close_pipes()

    def _bury(self, worker: WorkerProcess, run: str) -> Exception:
        """What to raise for a worker that went without an answer."""
        how = worker.ending()
        with self._lock:
            if self._closed:
                return PoolClosed("the workers of this sweep have ended")
            self._workers.pop(worker, None)
        return StageFailed(
            f"{run}: expected its worker process to answer, it ended with {how}, which a lack of "
            "memory would explain; lower --concurrency, then resume"
        )


def usable_cores() -> int:
    """Number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ask(worker: WorkerProcess, request: dict[str, Any]) -> dict[str, Any] | None:
    worker.send(request)
    return worker.receive()
