"""A worker process of a sweep: runs members one after the other, as its parent asks for them.

It is started by `flows.worker_pool` in a session of its own, so that Ctrl-C reaches the parent
only, and never imports Prefect. Requests come as JSON lines on stdin, answers go as JSON lines
to stdout; what a library prints goes to stderr. When stdin ends, the parent is gone or has had
enough, and the process ends at once: nothing committed can be lost by that.
"""

import json
import logging
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from data import errors
from data.errors import PluralistError, StageFailed
from flows.rounds import rounds
from tasks.context import RunContext

OUT_OF_MEMORY = (
    "expected the work to fit into memory, it did not; lower num_candidates, "
    "runtime.batch_size, runtime.shard_rows or --concurrency, then resume"
)


def main() -> None:
    """Answer requests {store, run} until stdin ends."""
    logger = logging.getLogger("pluralist")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        answers.write(json.dumps(answer(request["store"], request["run"])) + "\n")
        answers.flush()


def answer(store: str, run: str) -> dict[str, Any]:
    """Run one member: {computed: number of places}, or {error: name of its class, message}.

    The error's name is empty for a bug of ours, whose message is the traceback.
    """
    try:
        return {"computed": rounds(RunContext.open(Path(store), run))}
    except PluralistError as error:
        return {"error": _documented(error), "message": str(error)}
    except MemoryError:
        return {"error": StageFailed.__name__, "message": OUT_OF_MEMORY}
    except Exception:
        return {"error": "", "message": traceback.format_exc()}


def _documented(error: PluralistError) -> str:
    """Name of the error's class, or of its nearest base, in `data.errors`."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind in vars(errors).values())


def _listen(requests: "queue.SimpleQueue[str]") -> None:
    # In a thread, so that the end of stdin is seen in the middle of a member as well.
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
