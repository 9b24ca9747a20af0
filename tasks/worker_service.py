"""The inside of a worker process: one request after the other, until its parent is gone.

Requests come as JSON lines on stdin, answers go as JSON lines to stdout; what a library prints
goes to stderr. When stdin ends, the parent is gone or has had enough, and the process ends at
once: nothing committed can be lost by that.
"""

import json
import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from data import errors
from data.errors import PluralistError, StageFailed

Plain = dict[str, Any]


def serve(answer: Callable[[Plain], Plain]) -> None:
    """Answer requests until stdin ends; the only argument of the process is the log level."""
    logger = logging.getLogger("pluralist")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        answers.write(json.dumps(answer(request)) + "\n")
        answers.flush()


def answered(work: Callable[[], Plain], *, out_of_memory: str) -> Plain:
    """What `work` returns, or {error: name of its class, message}.

    A lack of memory becomes `StageFailed` with the text `out_of_memory`. The error's name is
    empty for a bug of ours, whose message is the traceback.
    """
    try:
        return work()
    except PluralistError as error:
        return {"error": _documented(error), "message": str(error)}
    except MemoryError:
        return {"error": StageFailed.__name__, "message": out_of_memory}
    except Exception:
        return {"error": "", "message": traceback.format_exc()}


def _documented(error: PluralistError) -> str:
    """Name of the error's class, or of its nearest base, in `data.errors`."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind in vars(errors).values())


def _listen(requests: "queue.SimpleQueue[str]") -> None:
    # In a thread, so that the end of stdin is seen in the middle of the work as well.
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)
