"""Both ends of a worker process: every error comes back as what it was."""

import pytest

from data import errors
from data.errors import PluralistError, StageFailed
from tasks.worker_process import WorkerProcess, lowest_free, raise_error
from tasks.worker_service import answered

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PluralistError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_as_its_class_with_its_exit_code(kind: type[PluralistError]) -> None:
    def work() -> dict[str, object]:
        raise kind("expected one, got 'two'\nmore")

    answer = answered(work, out_of_memory="no memory")
    with pytest.raises(kind, match="^expected one, got 'two'\nmore$") as caught:
        raise_error(answer)
    assert type(caught.value) is kind
    with pytest.raises(kind, match="^somebody: expected one"):
        raise_error(answer, "somebody")


def test_an_answer_without_an_error_is_the_work_itself() -> None:
    answer = answered(lambda: {"shard": 3}, out_of_memory="no memory")
    assert answer == {"shard": 3}
    raise_error(answer)


def test_a_lack_of_memory_may_be_tried_again() -> None:
    def work() -> dict[str, object]:
        raise MemoryError

    with pytest.raises(StageFailed, match="expected more memory"):
        raise_error(answered(work, out_of_memory="expected more memory"))


def test_a_process_that_cannot_start_ends_without_an_answer() -> None:
    worker = WorkerProcess("tasks.no_such_module", threads=1)
    worker.send({"shard": 0})
    assert worker.receive() is None
    worker.wait()
    assert not worker.is_alive()
    worker.send({"shard": 1})
    assert worker.receive() is None
    assert worker.ending() == "exit code 1"


def test_a_new_worker_takes_the_number_of_a_dead_one() -> None:
    assert [lowest_free(taken) for taken in ([], [0], [1, 2], [0, 2])] == [0, 1, 0, 1]
