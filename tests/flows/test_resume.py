"""Going on: same digests, changed configurations, forks, other numerics, damaged artifacts."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data import failpoints
from data.errors import BadNumbers, ConfigError, CorruptArtifact, ProvenanceMismatch
from data.quarantine import quarantine
from data.store import RunRecord
from flows.creation import changed_keys, check_numerics, create_runs
from flows.domain import find_domain
from flows.fork import fork_run
from flows.rounds import FAILURE, rounds
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tasks.places import ITERATION_STAGES, Place, all_places
from tasks.settings import parse_config
from tests.flows.conftest import MakeRun


def digests(context: RunContext) -> dict[str, str]:
    record = context.store.read_run(context.run)
    return {str(place): digest for place, digest in stage_digests(context.store, record)}


def manifests(context: RunContext) -> dict[Path, bytes]:
    folder = context.store.run_folder(context.run)
    return {path: path.read_bytes() for path in folder.glob("*/*/manifest.json")}


@pytest.mark.parametrize("granularity", ["iteration", "run"])
def test_granularity_does_not_change_a_digest(make_run: MakeRun, granularity: str) -> None:
    whole = make_run("whole")
    other = make_run("other", {"runtime": {"granularity": granularity}})
    assert digests(other) == digests(whole)
    assert other.record.config_fingerprint == whole.record.config_fingerprint


def test_shards_do_not_change_with_what_was_already_committed(make_run: MakeRun) -> None:
    changes = {"runtime": {"shard_rows": 64}}
    whole = make_run("whole", changes)
    again = make_run("again", changes)
    for stage in ("sample", "draw"):
        quarantine(again.folder(Place(1, stage)))
    assert rounds(RunContext(again.store, again.record)) == 2
    assert digests(again) == digests(whole)


def test_a_finished_run_computes_nothing(make_run: MakeRun) -> None:
    context = make_run()
    before = manifests(context)
    assert rounds(context) == 0
    assert manifests(context) == before


def test_another_seed_gives_other_digests_from_the_first_sample_on(make_run: MakeRun) -> None:
    first, second = make_run("a"), make_run("b", {"seed": 1})
    assert digests(first)["initial"] == digests(second)["initial"]
    assert digests(first)["iteration-0000/sample"] != digests(second)["iteration-0000/sample"]


def test_a_changed_configuration_is_refused_with_a_table_and_a_fork(make_run: MakeRun) -> None:
    make_run("first")
    message = (
        r"run 'first' exists with another configuration \(old -> new\):\n"
        r"  rewards.0.gamma: 1.0 -> 2.0\n(.|\n)*pluralist fork first --set rewards.0.gamma=2.0"
    )
    rewards = [
        {"kind": "quadratic", "centre": [-3.0, 0.0], "weight": 0.5, "gamma": 2.0},
        {"kind": "quadratic", "centre": [3.0, 0.0], "weight": 0.5},
    ]
    with pytest.raises(ProvenanceMismatch, match=message):
        make_run("first", {"rewards": rewards})


def fork(context: RunContext, changes: dict[str, object], name: str) -> RunContext:
    config = parse_config(find_domain("gmm").expand(context.record.config | changes))
    record = fork_run(context.store, context.record, config, name=name)
    return RunContext(context.store, record)


def test_a_changed_evaluation_recomputes_evaluate_only(make_run: MakeRun) -> None:
    origin = make_run("origin")
    child = fork(origin, {"evaluation": {"num_samples": 77}}, "child")
    assert rounds(child) == 4, "p_0 .. p_3 are evaluated anew"
    for place in all_places(3):
        if place.stage == "initial":
            continue
        reused_from = child.open_place(place).manifest.reused_from
        assert reused_from == (None if place.stage == "evaluate" else "origin")
    same = {place: digest for place, digest in digests(child).items() if "evaluate" not in place}
    assert same.items() <= digests(origin).items()


def test_a_fork_with_other_weights_reuses_the_scores(make_run: MakeRun) -> None:
    origin = make_run("origin")
    child = fork(origin, {"q": 0.9}, "child")
    rounds(child)
    place = Place(0, "draw")
    ours, theirs = child.open_place(place), origin.open_place(place)
    assert ours.manifest.entry("scores.parquet") == theirs.manifest.entry("scores.parquet")
    assert ours.path("scores.parquet").stat().st_ino == theirs.path("scores.parquet").stat().st_ino
    assert ours.content_digest != theirs.content_digest
    assert child.open_place(Place(0, "sample")).manifest.reused_from == "origin"
    assert child.open_place(Place(1, "sample")).manifest.reused_from is None


def test_a_fork_equals_a_run_from_scratch(make_run: MakeRun) -> None:
    origin = make_run("origin")
    child = fork(origin, {"q": 0.9}, "child")
    rounds(child)
    assert digests(child) == digests(make_run("scratch", {"q": 0.9}))


def test_a_fork_that_changes_nothing_is_refused(make_run: MakeRun) -> None:
    origin = make_run("origin", run=False)
    with pytest.raises(ConfigError, match="expected a changed configuration, got that of 'origin'"):
        fork(origin, {}, "child")


def in_other_class(context: RunContext) -> RunRecord:
    record = context.record.model_copy(
        update={"numerics": {**context.record.numerics, "numpy": "0.9", "threads": 64}}
    )
    context.store.update_run(record)
    return context.store.read_run(record.run)


def test_another_numerics_class_is_refused_naming_what_differs(make_run: MakeRun) -> None:
    context = make_run(run=False)
    record = in_other_class(context)
    message = rf"numpy: 0\.9 -> {np.__version__}\n  threads: 64 -> 1\n(.|\n)*--accept-numerics"
    with pytest.raises(ProvenanceMismatch, match=message):
        check_numerics(context.store, record)
    marked = check_numerics(context.store, record, accept=True)
    assert marked.accepted_numerics == (context.record.numerics,)
    assert check_numerics(context.store, marked) == marked, "asked once"


def test_every_damaged_file_of_a_run_stops_it(make_run: MakeRun) -> None:
    context = make_run()
    for stage in ITERATION_STAGES:
        artifact = context.open_place(Place(1, stage))
        for entry in artifact.manifest.files:
            path = artifact.path(entry.path)
            content = path.read_bytes()
            path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
            with pytest.raises(CorruptArtifact, match="sha256 expected .*, found"):
                rounds(RunContext(context.store, context.record))
            path.write_bytes(content)
    assert rounds(RunContext(context.store, context.record)) == 0


def test_a_quarantined_stage_is_made_again_and_what_follows_stays(make_run: MakeRun) -> None:
    context = make_run()
    before = digests(context)
    quarantine(context.folder(Place(1, "select")))
    assert rounds(RunContext(context.store, context.record)) == 1
    assert digests(context) == before


def test_a_stage_set_aside_under_a_living_context_is_made_again(make_run: MakeRun) -> None:
    context = make_run()
    rounds(context)
    quarantine(context.folder(Place(1, "select")))
    assert rounds(context) == 1


def test_a_stage_made_from_something_else_is_refused(make_run: MakeRun) -> None:
    context, other = make_run("a"), make_run("b", {"seed": 1})
    place = Place(0, "sample")
    shutil.rmtree(context.folder(place))
    shutil.copytree(other.folder(place), context.folder(place))
    with pytest.raises(ProvenanceMismatch, match="committed by another configuration or release"):
        rounds(RunContext(context.store, context.record))


def test_a_reward_that_gives_nan_stops_the_run_and_keeps_what_is_committed(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rewards.quadratic import REWARD

    context = make_run(run=False)
    calls = 0
    scored = REWARD.__call__

    def sometimes_nan(self: object, samples: pa.Table) -> np.ndarray:
        nonlocal calls
        calls += 1
        scores = np.array(scored(self, samples))  # type: ignore[arg-type]
        if calls > 8:
            scores[17] = np.nan
        return scores

    monkeypatch.setattr(REWARD, "__call__", sometimes_nan)
    message = "reward 'quadratic-1': expected finite scores, got nan for row 17"
    with pytest.raises(BadNumbers, match=message):
        rounds(context)
    failure = context.store.run_folder("first") / FAILURE
    assert "got nan for row 17" in failure.read_text()
    before = manifests(context)
    assert before
    monkeypatch.undo()
    rounds(RunContext(context.store, context.record))
    assert not failure.exists()
    after = manifests(context)
    assert before.items() <= after.items()
    assert digests(context) == digests(make_run("whole"))


def test_changed_keys_are_found_at_any_depth() -> None:
    old = {"a": 1, "b": {"c": [1, 2]}, "r": [{"w": 0.5}, {"w": 0.5}]}
    new = {"a": 1, "b": {"c": [1, 3]}, "r": [{"w": 0.5}, {"w": 0.7, "z": None}]}
    assert changed_keys(old, new) == [("b.c", [1, 2], [1, 3]), ("r.1.w", 0.5, 0.7)]


def test_a_group_of_other_runs_is_refused(make_run: MakeRun) -> None:
    context = make_run("solo", run=False)
    config = context.config
    domain = find_domain("gmm")
    create_runs(context.store, domain, {"a": config, "b": config}, name="pair")
    with pytest.raises(ProvenanceMismatch, match="group 'pair' exists with other runs"):
        create_runs(context.store, domain, {"a": config, "c": config}, name="pair")


def flip(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def test_a_damaged_shard_of_an_unfinished_stage_is_made_again(
    make_run: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    changes = {"runtime": {"shard_rows": 64}}
    context = make_run(changes=changes, run=False)

    def stop(operation: str, path: Path) -> None:
        if operation == "before link" and path.parent.name == "sample":
            raise KeyboardInterrupt

    failpoints.install(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            rounds(context)
    finally:
        failpoints.install(None)
    (rows,) = context.folder(Place(0, "sample")).glob("shard-0000/attempt-*/rows.parquet")
    flip(rows)
    rounds(RunContext(context.store, context.record))
    assert "shard set aside in" in caplog.text
    assert digests(context) == digests(make_run("whole", changes))


def test_a_fork_of_a_damaged_run_computes_what_it_cannot_take_over(
    make_run: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    origin = make_run("origin")
    for stage, file in (("sample", "candidates.parquet"), ("draw", "scores.parquet")):
        flip(origin.open_place(Place(0, stage)).path(file))
    child = fork(origin, {"q": 0.9}, "child")
    rounds(child)
    assert "not taken over from origin" in caplog.text
    assert digests(child) == digests(make_run("scratch", {"q": 0.9}))
