"""Fingerprints of image runs: what enters which stage, and what enters none."""

from typing import Any

import pytest

from flows.cifar10 import cpu_mini
from flows.domain import merge
from flows.gmm import smoke
from tasks.places import Fingerprints, Place, all_places, shared_stages, upstream
from tasks.settings import RunConfig, parse_config
from tests.flows.image_runs import tiny

SHARED = ("classifier", "initial", "reference", "constants")
ROUND = "scores draw select retrain evaluate"
LOCATIONS: list[dict[str, Any]] = [
    {"initial": {"data": {"origin": "parquet", "path": "elsewhere"}}},
    {"classifier": {"data": {"origin": "torchvision", "path": "elsewhere"}}},
    {"initial": {"pretraining": {"checkpoint_every": 7}}},
    {"generator": {"refit": {"checkpoint_every": 7}}},
    {"classifier": {"checkpoint_every": 7}},
    {"runtime": {"shard_workers": 3}},
]
# Where it computes is in the numerics class instead.
NUMERICS: list[dict[str, Any]] = [
    {"runtime": {"device": "cuda"}},
    {"runtime": {"deterministic": False}},
]


def changed(base: RunConfig, changes: dict[str, Any]) -> RunConfig:
    return parse_config(merge(base.model_dump(mode="json"), changes))


def differences(old: RunConfig, new: RunConfig) -> set[str]:
    """Stages up to the end of iteration 0 whose fingerprints differ; `evaluate` also of p_0."""
    before, after = Fingerprints(old), Fingerprints(new)
    places = [*all_places(1, before.shared)]
    found = {place.stage for place in places if before.of(place) != after.of(place)}
    draw = Place(0, "draw")
    return found | ({"scores"} if before.of_scores(draw) != after.of_scores(draw) else set())


@pytest.mark.parametrize("changes", [*LOCATIONS, *NUMERICS], ids=str)
def test_places_of_files_and_how_the_work_is_done_are_in_no_fingerprint(
    changes: dict[str, Any],
) -> None:
    base = cpu_mini()
    moved = changed(base, changes)
    assert moved != base, "it is recorded"
    assert moved.fingerprint == base.fingerprint
    assert differences(base, moved) == set()


def test_the_place_of_weights_is_in_no_fingerprint_and_their_digest_is() -> None:
    def imported(path: str, digest: str) -> RunConfig:
        weights = {"weights": path, "weights_sha256": digest * 64}
        initial = {"initial": weights, "classifier": weights}
        inception = {"evaluation": {"inception": {"weights": path, "sha256": digest * 64}}}
        return changed(cpu_mini(), initial | inception)

    assert differences(imported("here", "a"), imported("there", "a")) == set()
    assert imported("here", "a").fingerprint == imported("there", "a").fingerprint
    stages = {*SHARED, "sample", *ROUND.split()}
    assert differences(imported("here", "a"), imported("here", "b")) == stages


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"classifier": {"num_epochs": 3}}, f"classifier reference constants {ROUND}"),
        ({"classifier": {"seed": 1}}, f"classifier reference constants {ROUND}"),
        ({"initial": {"seed": 1}}, f"initial constants sample {ROUND}"),
        ({"initial": {"pretraining": {"num_steps": 9}}}, f"initial constants sample {ROUND}"),
        ({"generator": {"field": {"width": 8}}}, f"initial constants sample {ROUND}"),
        ({"generator": {"sampler": {"num_steps": 9}}}, f"constants sample {ROUND}"),
        ({"generator": {"coupling": "independent"}}, f"initial constants sample {ROUND}"),
        ({"gamma": 2.0}, ROUND),
        ({"classes": [0, 1, 2]}, ROUND),
        ({"q": 0.9}, "draw select retrain evaluate"),
        ({"rewards.0.standardise": True}, f"constants {ROUND}"),
        ({"selection": {"num_curated": 8}}, "draw select retrain evaluate"),
        ({"evaluation": {"num_samples": 50}}, "evaluate"),
        ({"seed": 1}, f"sample {ROUND}"),
        ({"runtime": {"batch_size": 8}}, f"reference constants sample {ROUND}"),
        ({"runtime": {"threads": 2}}, f"{' '.join(SHARED)} sample {ROUND}"),
        ({"iterations": 9}, ""),
    ],
    ids=str,
)
def test_an_option_of_images_changes_the_stages_it_enters_and_those_after(
    changes: dict[str, Any], stages: str
) -> None:
    from flows.cifar10 import expand

    base = tiny()
    plain = base.model_dump(mode="json")
    if "rewards.0.standardise" in changes:
        first, *others = plain["rewards"]
        changes = {"rewards": [first | {"standardise": True}, *others]}
    new = parse_config(expand(merge(plain, changes)))
    assert differences(base, new) == set(stages.split())


def test_a_run_has_the_shared_stages_that_it_needs() -> None:
    assert shared_stages(tiny()) == SHARED
    assert shared_stages(smoke()) == ("initial",)
    rewards = [one | {"standardise": True} for one in smoke().model_dump(mode="json")["rewards"]]
    assert shared_stages(changed(smoke(), {"rewards": rewards})) == ("initial", "constants")


def test_places_follow_what_they_read_and_name_what_is_shared() -> None:
    places = list(all_places(2, SHARED))
    assert len(places) == len(set(places)) == 5 + 2 * 5
    for position, place in enumerate(places):
        assert set(upstream(place, SHARED)) <= set(places[:position])
    shown = [str(place) for place in places[:5]]
    assert shown == [
        "initial/classifier", "initial", "initial/reference", "initial/constants",
        "initial/evaluate",
    ]  # fmt: skip


def test_what_scores_or_measures_reads_the_classifier_and_nothing_else_does() -> None:
    classifier = Place(None, "classifier")
    reading = {place for place in all_places(1, SHARED) if classifier in upstream(place, SHARED)}
    assert {str(place) for place in reading} == {
        "initial/reference", "initial/constants", "initial/evaluate", "iteration-0000/draw",
        "iteration-0000/evaluate",
    }  # fmt: skip
