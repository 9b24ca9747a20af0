"""SIGKILL inside every kind of stage of an image run: it resumes to the same digests.

Training has checkpoints within the stage, sampling and scoring have shards; both are cut.
"""

import multiprocessing
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from data import failpoints
from data.store import Store
from pluralist.listing import stage_digests
from pluralist.verification import verify_run
from tasks.context import RunContext
from tests.flows import image_runs
from tests.flows.killed_images import resume, run_until
from tests.flows.test_kill import run_child

# What is cut -> the operation, and the place it has to hit: fingerprints name the folders of what
# runs share, so the first place that is not committed yet is what a pattern of theirs finds.
CUTS = {
    "classifier, its checkpoint half written": (
        "^fsync initial/.*state.safetensors",
        "initial/classifier",
    ),
    "classifier, its checkpoint committed": (
        "^after link initial/.*/checkpoint-",
        "initial/classifier",
    ),
    "classifier, about to be published": (
        "^before link initial/[0-9a-f]+/manifest.json",
        "initial/classifier",
    ),
    "classifier, published": (
        "^discard initial/.*checkpoint-",
        "initial/classifier",
    ),
    "initial, its checkpoint committed": (
        "^after link initial/.*/checkpoint-",
        "initial",
    ),
    "initial, published": (
        "^discard initial/.*checkpoint-",
        "initial",
    ),
    "reference": (
        "^fsync initial/.*reference.safetensors",
        "initial/reference",
    ),
    "constants": (
        "^fsync initial/.*tail/",
        "initial/constants",
    ),
    "evaluation of p_0": (
        "^before link runs/tiny/initial/evaluate",
        "initial/evaluate",
    ),
    "sample, a shard committed": (
        "^after link .*0000/sample/shard-0001",
        "iteration-0000/sample",
    ),
    "draw, a shard half written": (
        "^fsync .*0000/draw/shard-0001/.*rows.parquet",
        "iteration-0000/draw",
    ),
    "retrain, its checkpoint committed": (
        "^after link .*0000/retrain/checkpoint-",
        "iteration-0000/retrain",
    ),
    "retrain, the model half written": (
        "^fsync .*0000/retrain/attempt-.*model.safetensors",
        "iteration-0000/retrain",
    ),
    "retrain, published": (
        "^discard .*0000/retrain/.*checkpoint-",
        "iteration-0000/retrain",
    ),
    "evaluate": (
        "^fsync .*0000/evaluate/.*samples.parquet",
        "iteration-0000/evaluate",
    ),
    "sample, about to be published": (
        "^before link .*0001/sample/manifest.json",
        "iteration-0001/sample",
    ),
    "retrain, its checkpoint half written": (
        "^write .*0001/retrain/checkpoint-",
        "iteration-0001/retrain",
    ),
}


class PowerCut(BaseException):
    """Ends a run in this process; nothing catches it."""


def committed(root: Path) -> dict[str, str]:
    store = Store(root)
    record = store.find_run("tiny")
    if record is None:
        return {}
    return {str(place): digest for place, digest in stage_digests(store, record)}


def hit(what: str, places: list[str], number: int) -> str:
    """The place that was cut when `number` of `places` are committed."""
    return places[number - 1] if what.endswith(", published") else places[number]


def of_run(context: RunContext) -> dict[str, str]:
    return committed(context.store.root)


def test_a_training_cut_after_its_checkpoint_goes_on_from_there(
    image_run: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(name: str, path: Path) -> None:
        if name == "after link" and "iteration-0001/retrain/checkpoint-" in str(path):
            raise PowerCut

    failpoints.install(cut)
    try:
        with pytest.raises(PowerCut):
            image_runs.run(tmp_path)
    finally:
        failpoints.install(None)
    (checkpoint,) = tmp_path.glob("runs/tiny/iteration-0001/retrain/checkpoint-*/*/manifest.json")
    assert "iteration-0001/retrain" not in committed(tmp_path)

    from generators import cfm_training

    steps: list[int] = []
    advance = cfm_training._State.advance

    def counted(self: cfm_training._State, step: int, loss: object) -> None:
        steps.append(step)
        advance(self, step, loss)  # type: ignore[arg-type]

    monkeypatch.setattr(cfm_training._State, "advance", counted)
    assert of_run(image_runs.run(tmp_path)) == of_run(image_run)
    assert steps == [2, 3], "the first two of four steps are in the checkpoint"
    assert not checkpoint.exists()


@pytest.fixture(scope="module")
def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.flows.killed_images", "torch._dynamo", "torchcfm", "sklearn.datasets"]
    )
    return context


@pytest.mark.slow  # one process a cut
def test_a_run_killed_in_every_kind_of_stage_ends_with_the_digests_of_an_uninterrupted_one(
    image_run: RunContext, tmp_path: Path, server: ForkServerContext
) -> None:
    expected, root = of_run(image_run), tmp_path / "store"
    kept: dict[str, str] = {}
    for what, (pattern, place) in CUTS.items():
        assert run_child(server, run_until, root, pattern) == -signal.SIGKILL, what
        store, before = Store(root), committed(root)
        assert hit(what, list(expected), len(before)) == place, what
        assert kept.items() <= before.items() <= expected.items(), what
        assert verify_run(store, store.read_run("tiny")).problems == [], what
        kept = before
    assert run_child(server, resume, root) == 0
    assert committed(root) == expected
    assert not list(root.rglob("shard-*")) and not list(root.rglob("checkpoint-*"))
