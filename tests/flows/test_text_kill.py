"""SIGKILL inside generation, scoring and fine-tuning of a text run: it resumes to equal digests.

Generation and scoring have shards, training has checkpoints; each is cut between two of them, in
the middle of the work and in the middle of a write.
"""

import multiprocessing
import shutil
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from data import failpoints
from data.store import Store
from generators import lm_training
from pluralist.listing import stage_digests
from pluralist.verification import verify_run
from tasks.context import RunContext
from tests.flows import text_runs
from tests.flows.killed_texts import resume, run_until
from tests.flows.test_kill import run_child

# What is cut -> the work or operation, how often it is met before, and the place it has to hit.
CUTS = {
    "initial, a step behind its checkpoint": (
        "^train initial/.*/checkpoint-", 1, "initial",
    ),
    "evaluation of p_0, in the middle of a text": (
        "^generate runs/.*/initial/evaluate", 5, "initial/evaluate",
    ),
    "retrain, a step behind its checkpoint": (
        "^train .*0000/retrain/checkpoint-", 1, "iteration-0000/retrain",
    ),
    "retrain, about to be published": (
        "^before link .*0000/retrain/manifest.json", 1, "iteration-0000/retrain",
    ),
    "sample, in the middle of the second shard's texts": (
        "^generate .*0001/sample/shard-0001", 5, "iteration-0001/sample",
    ),
    "sample, the second shard committed": (
        "^after link .*0001/sample/shard-0001", 1, "iteration-0001/sample",
    ),
    "draw, between two rewards of the second shard": (
        "^score .*0001/draw/shard-0001", 2, "iteration-0001/draw",
    ),
    "draw, the second shard half written": (
        "^fsync .*0001/draw/shard-0001/.*rows.parquet", 1, "iteration-0001/draw",
    ),
    "retrain, its checkpoint half written": (
        "^fsync .*0001/retrain/.*state.safetensors", 1, "iteration-0001/retrain",
    ),
    "retrain, a step behind that checkpoint": (
        "^train .*0001/retrain/checkpoint-", 1, "iteration-0001/retrain",
    ),
    "evaluate": (
        "^fsync .*0001/evaluate/.*samples.parquet", 1, "iteration-0001/evaluate",
    ),
}  # fmt: skip


class PowerCut(BaseException):
    """Ends a run in this process; nothing catches it."""


@pytest.fixture(params=["gpt2", "qwen"])
def finished(request: pytest.FixtureRequest) -> RunContext:
    """A run whose pool grows by survivors, and one whose pools are the answers to a prompt."""
    run: RunContext = request.getfixturevalue(f"{request.param}_run")
    return run


def committed(root: Path, name: str) -> dict[str, str]:
    store = Store(root)
    record = store.find_run(name)
    if record is None:
        return {}
    return {str(place): digest for place, digest in stage_digests(store, record)}


def test_a_fine_tuning_cut_after_its_checkpoint_goes_on_from_there(
    finished: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, root = finished.run, tmp_path / "store"
    shutil.copytree(finished.store.root, root)
    for stage in ("retrain", "evaluate"):
        shutil.rmtree(root / "runs" / name / "iteration-0001" / stage)

    def cut(operation: str, path: Path) -> None:
        if operation == "after link" and "iteration-0001/retrain/checkpoint-" in str(path):
            raise PowerCut

    failpoints.install(cut)
    try:
        with pytest.raises(PowerCut):
            text_runs.run(root, name)
    finally:
        failpoints.install(None)
    (checkpoint,) = root.glob("runs/*/iteration-0001/retrain/checkpoint-*/*/manifest.json")
    assert "iteration-0001/retrain" not in committed(root, name)

    steps: list[int] = []
    advance = lm_training._State.advance

    def counted(self: lm_training._State, step: int, loss: object) -> None:
        steps.append(step)
        advance(self, step, loss)  # type: ignore[arg-type]

    monkeypatch.setattr(lm_training._State, "advance", counted)
    text_runs.run(root, name)
    assert committed(root, name) == committed(finished.store.root, name)
    last = {"gpt2": [2], "qwen": [2, 3]}
    assert steps == last[name], "the first two steps are in the checkpoint"
    assert not checkpoint.exists()


@pytest.fixture(scope="module")
def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    models = ("transformers.models.gpt2.modeling_gpt2", "transformers.models.qwen2.modeling_qwen2")
    context.set_forkserver_preload(["tests.flows.killed_texts", "torch._dynamo", *models])
    return context


@pytest.mark.slow  # one process a cut
@pytest.mark.timeout(300)
def test_a_run_killed_in_its_work_and_its_writes_ends_with_the_digests_of_an_uninterrupted_one(
    finished: RunContext, tmp_path: Path, server: ForkServerContext
) -> None:
    name, root = finished.run, tmp_path / "store"
    expected = committed(finished.store.root, name)
    kept: dict[str, str] = {}
    for what, (pattern, number, place) in CUTS.items():
        assert run_child(server, run_until, root, name, pattern, number) == -signal.SIGKILL, what
        store, before = Store(root), committed(root, name)
        assert list(expected)[len(before)] == place, what
        assert kept.items() <= before.items() <= expected.items(), what
        assert verify_run(store, store.read_run(name)).problems == [], what
        kept = before
    assert run_child(server, resume, root, name) == 0
    assert committed(root, name) == expected
    assert not list(root.rglob("shard-*")) and not list(root.rglob("checkpoint-*"))
