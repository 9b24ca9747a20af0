"""A worker process as its parent sees it: started, asked, killed. `worker_service` is its inside.

Not `multiprocessing`: there an interpreter is started from whatever the main module is, Ctrl-C
reaches the workers too, and workers of a killed parent stay. Not a fork: torch and the threads
of numerical libraries do not survive one.
"""

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

from data import errors
from data.errors import PluralistError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerProcess:
    """The module `module` as a process that limits numerical libraries to `threads` threads.

    It is in a session of its own, imports from where this process does, whatever its working
    directory is, and sees `environment` beside this process's.
    """

    def __init__(
        self, module: str, *, threads: int, environment: Mapping[str, str] | None = None
    ) -> None:
        path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
        level = logging.getLogger("pluralist").getEffectiveLevel()
        limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(level)],
            env={**os.environ, "PYTHONPATH": path, **limits, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def fileno(self) -> int:
        """Descriptor that is readable once an answer is there, or the process has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def send(self, request: dict[str, Any]) -> None:
        """Ask for one answer; a process that is gone is noticed by `receive`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        """Wait for the answer to the one request; None when the process ended without."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        # A line cut short is the last of a killed process.
        answer: dict[str, Any] | None = json.loads(line) if line.endswith("\n") else None
        return answer

    def ending(self) -> str:
        """Wait for the end of the process; how it ended, in words."""
        code = self._process.wait()
        self.close_pipes()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def is_alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once; `wait` must follow."""
        self._process.kill()

    def wait(self) -> None:
        """Wait until the process has ended."""
        self._process.wait()

    def close_pipes(self) -> None:
        """Close both pipes, which nobody may read any more."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            # A request the dead process never read cannot be flushed.
            with contextlib.suppress(OSError):
                pipe.close()


def lowest_free(taken: Collection[int]) -> int:
    """Number of a new worker, so that who replaces a dead one takes over its GPU."""
    return next(number for number in count() if number not in taken)


def raise_error(answer: dict[str, Any], who: str = "") -> None:
    """Raise the error an answer tells of, if any, its message led by `who`."""
    if "error" not in answer:
        return
    kind = getattr(errors, answer["error"] or PluralistError.__name__)
    raise kind(f"{who}: {answer['message']}" if who else answer["message"])
