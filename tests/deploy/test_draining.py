"""The queue is sent or dropped, and a server is left when it has written, or is gone."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from prefect._internal.concurrency.services import QueueService

from deploy.draining import send_what_is_queued, wait_until_written
from tests.deploy.conftest import Serve

# Half a second of work, which shows in no answer, then silence.
WORKS = """
import sys, time
end = time.process_time() + float(sys.argv[1])
while time.process_time() < end:
    pass
print("done", flush=True)
time.sleep(60)
"""
HEALTHY = {"/health": (200, "true")}


class Sender(QueueService[float]):
    """Takes as many seconds for each item as the item says."""

    sent: list[float]

    async def _handle(self, item: float) -> None:
        # Blocking would stop the loop that all services share.
        from asyncio import sleep

        await sleep(item)
        self.sent.append(item)


@pytest.fixture
def sender() -> Sender:
    # Any in place of the class: Prefect types its arguments for its own services only.
    kind: Any = Sender
    instance: Sender = kind.instance()
    instance.sent = []
    return instance


def test_with_nothing_queued_everything_is_sent(nobody: str) -> None:
    assert send_what_is_queued(nobody)


def test_the_queue_is_sent_while_the_server_answers(sender: Sender, serve: Serve) -> None:
    for _ in range(3):
        sender.send(0.05)
    assert send_what_is_queued(serve(HEALTHY))
    assert sender.sent == [0.05] * 3


def test_a_slow_queue_is_sent_whole_while_the_server_answers(sender: Sender, serve: Serve) -> None:
    for _ in range(6):
        sender.send(1.0)
    assert send_what_is_queued(serve(HEALTHY))
    assert len(sender.sent) == 6


def test_a_queue_for_a_server_that_is_gone_is_dropped(sender: Sender, nobody: str) -> None:
    for _ in range(100):
        sender.send(0.5)
    started = time.monotonic()
    assert not send_what_is_queued(nobody, patience=0.2)
    # Only the item under way is still waited for.
    sender.drain()
    assert time.monotonic() - started < 10
    assert len(sender.sent) <= 1


def test_a_queue_that_takes_too_long_is_dropped(sender: Sender, serve: Serve) -> None:
    for _ in range(100):
        sender.send(0.3)
    assert not send_what_is_queued(serve(HEALTHY), patience=0.5)
    sender.drain()
    assert 1 <= len(sender.sent) < 20


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", WORKS, "1.5"], stdout=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def written(process: subprocess.Popen[bytes], url: str, *, patience: float) -> bool:
    return wait_until_written(process, url, datetime.now(UTC), patience=patience)


def test_a_server_at_work_is_waited_for(worker: subprocess.Popen[bytes], serve: Serve) -> None:
    url = serve({"/task_runs/count": (200, "0")})
    assert worker.stdout is not None
    assert written(worker, url, patience=60)
    # Would block for the 60 s of the sleep had the work not been done.
    assert worker.stdout.readline() == b"done\n"
    assert worker.poll() is None


@pytest.mark.parametrize("answer", [(200, "1"), (401, '{"detail": "Unauthorized"}'), (500, "")])
def test_a_task_under_way_or_no_answer_is_not_written(
    worker: subprocess.Popen[bytes], serve: Serve, answer: tuple[int, str]
) -> None:
    assert not written(worker, serve({"/task_runs/count": answer}), patience=3)


def test_a_server_that_is_gone_is_not_waited_for(nobody: str) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    started = time.monotonic()
    assert not written(gone, nobody, patience=60)
    assert time.monotonic() - started < 5
