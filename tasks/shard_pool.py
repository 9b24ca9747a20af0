"""Worker processes that share the shards of a run, warm from its first stage to its last."""

import selectors
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from data.errors import StageFailed
from tasks.context import RunContext
from tasks.gpus import gpu_environment
from tasks.places import Place
from tasks.worker_process import WorkerProcess, lowest_free, raise_error

MODULE = "tasks.shard_worker"


class ShardPool:
    """At most `size` worker processes, started when first needed; `close` ends them.

    Each limits numerical libraries to `threads` threads. On `device` "cuda" they share the GPUs
    evenly. Workers end with this process, however it ends. Not for several threads at a time.
    """

    def __init__(self, *, size: int, threads: int, device: str) -> None:
        self._size = size
        self._threads = threads
        self._device = device
        self._workers: dict[WorkerProcess, int] = {}  # each with its number

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers there are."""
        return [worker.pid for worker in self._workers]

    def make(self, store: str, run: str, place: Place, shards: Sequence[int]) -> None:
        """Have the workers make and commit `shards` of the stage at `place`.

        Raises what making one raised, `StageFailed` when a worker was killed. Then the others
        are ended as well; what they committed stays.
        """
        request = {"store": store, "run": run, "iteration": place.iteration, "stage": place.stage}
        waiting = list(reversed(shards))
        try:
            with selectors.DefaultSelector() as selector:
                for worker in self._started(len(shards)):
                    worker.send({**request, "shard": waiting.pop()})
                    selector.register(worker, selectors.EVENT_READ)
                while selector.get_map():
                    for key, _ in selector.select():
                        asked = key.fileobj
                        assert isinstance(asked, WorkerProcess)
                        _check_answer(asked, run, place)
                        if waiting:
                            asked.send({**request, "shard": waiting.pop()})
                        else:
                            selector.unregister(asked)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all workers at once; the next `make` would start new ones."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.ending()
        self._workers.clear()

    def _started(self, number: int) -> list[WorkerProcess]:
        """As many workers as `number` shards need; who died while idle is replaced."""
        for dead in [worker for worker in self._workers if not worker.is_alive()]:
            dead.close_pipes()
            del self._workers[dead]
        while len(self._workers) < min(self._size, number):
            free = lowest_free(self._workers.values())
            environment = gpu_environment(free) if self._device == "cuda" else {}
            worker = WorkerProcess(MODULE, threads=self._threads, environment=environment)
            self._workers[worker] = free
        return list(self._workers)[:number]


@contextmanager
def shard_pool(context: RunContext) -> Iterator[ShardPool]:
    """Workers for the shards of a run, ended with the outermost `with` of this process.

    By the run's name rather than on the context: a Prefect task has a context of its own.
    """
    key = (context.store.root, context.run)
    if key in _open:
        yield _open[key]
        return
    runtime = context.config.runtime
    pool = ShardPool(size=runtime.shard_workers, threads=runtime.threads, device=runtime.device)
    _open[key] = pool
    try:
        yield pool
    finally:
        del _open[key]
        pool.close()


_open: dict[tuple[Path, str], ShardPool] = {}


def _check_answer(worker: WorkerProcess, run: str, place: Place) -> None:
    answer = worker.receive()
    if answer is None:
        raise StageFailed(
            f"{run} {place}: expected the worker process of a shard to answer, it ended with "
            f"{worker.ending()}, which a lack of memory would explain; lower "
            "runtime.shard_workers, then resume: committed shards are kept"
        )
    raise_error(answer)
