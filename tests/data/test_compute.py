"""What a stage computes on, and that nothing outside decides the threads of linear algebra."""

import os
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from data.compute import ONE_CPU_THREAD, Compute, compute, computing

EIGENVALUES = """
import hashlib
import numpy as np
from data.compute import Compute, computing

rows = np.random.default_rng(0).normal(size=(600, 300))
with computing(Compute(threads={threads})):
    print(hashlib.sha256(np.linalg.eigvalsh(rows.T @ rows).tobytes()).hexdigest())
"""


def blas_threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_outside_any_stage_there_is_one_cpu_thread() -> None:
    assert compute() == ONE_CPU_THREAD
    with computing(Compute("cuda", 3, False)):
        assert compute() == Compute("cuda", 3, False)
    assert compute() == ONE_CPU_THREAD


@pytest.mark.parametrize("outside", [1, 2])
def test_linear_algebra_takes_the_threads_of_the_stage_and_gives_them_back(outside: int) -> None:
    np.linalg.eigvalsh(np.eye(2))
    with threadpool_limits(outside, user_api="blas"):
        for threads in (1, 2):
            with computing(Compute(threads=threads)):
                assert blas_threads() == {threads}
        assert blas_threads() == {outside}


@pytest.mark.parametrize("threads", [1, 2])
def test_variables_of_the_environment_do_not_change_a_bit(threads: int) -> None:
    def digest(variable: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", EIGENVALUES.format(threads=threads)],
            env={**os.environ, "OPENBLAS_NUM_THREADS": variable, "OMP_NUM_THREADS": variable},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert digest("1") == digest("2") != ""
