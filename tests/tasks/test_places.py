"""Places of a run, and which configuration enters which fingerprint."""

from typing import Any

import pytest

from flows import qwen
from flows.density import c9
from flows.gmm import paper, smoke
from tasks.places import (
    ITERATION_STAGES,
    STAGE_VERSIONS,
    Fingerprints,
    Place,
    all_places,
    evaluation_place,
    model_place,
    upstream,
)
from tasks.settings import RunConfig, parse_config

# As release 0.1.0 computed them, so that its runs go on. `evaluate` measures more since.
SMOKE = {
    "initial": "139de7ecf8010464feb2df468728bf73d4e24c12888f4bf24369ed8d99810e71",
    "iteration-0000/sample": "a3e37a4876e8a9dd9c2488bb11e3685be74947653e65def4237152493b1181ff",
    "iteration-0000/draw": "652de897d86077fb338415ac1de0ee569ab287423c933ef93c6f3d8149f669b3",
    "iteration-0000/select": "999fc21575513bb3f6e2d4f08a9621a2fc62cb534bd714172f5c51660c5408b0",
    "iteration-0000/retrain": "cc3584337c3f942596c5291b53a9bf8929bc5317a4ad56c05dfba79136acb5e3",
    "iteration-0001/sample": "21897e92b0f1a15b54f07cbd0449bf9210d1eea0822de133939f14222c058411",
    "iteration-0001/draw": "6a4b7a58049e53dc69a8d99174c1b7c958fb25aab904fba03fc2c82c2b180f91",
    "iteration-0001/select": "6f9c9840c15c9550e56abbbd3966f1f9a686bd38ba00555f8f3375f926df2733",
    "iteration-0001/retrain": "023c18f5a19142d2e7333138dd3d1c450502db4f7e21372ae499ce36f08781af",
    "scores": "db7ab21d7f35079f09ef0601e6f6726acb2348e3c0324556da636f57ef756424",
    "config": "28a32385f0419a662d96c3ea4b431178c15b2031b0ad9847fdc6a9eb633e5b17",
}
PAPER = {
    "initial": "139de7ecf8010464feb2df468728bf73d4e24c12888f4bf24369ed8d99810e71",
    "iteration-0000/sample": "965c19c54f6dada74aee22e756d0f9d237fcc92fa952a159e540ebb068539aa2",
    "iteration-0000/draw": "74354933f46792416242facbf78b98ef691ac59892a80f3d3e9fe3dbe6bf9dd2",
    "iteration-0000/select": "c34b3c41363860ea787a8c93d71b53e166b72452c3f6f5c6c168cdfb2a94e3e2",
    "iteration-0000/retrain": "14e75d6fb3eb3ec33c5a67ffe6f045dd8ccd22711cdda7fff1692e55e63cb5f3",
    "iteration-0001/sample": "0e40f790bc11be4200c8bf98d56992f78fe3638de6c66b630b32876995417a99",
    "iteration-0001/draw": "2d9ab05829f7539a90d6358947eae3b5a2c7d12f88a140fcf154775d89ef4d96",
    "iteration-0001/select": "b75a6dcc5f25285372f0af30b11150eaa67458c08ef6c9bb5a69f24f0c94d501",
    "iteration-0001/retrain": "bcc10536fac80ec29c2ff16eb0e0ef4ded9d69a4781811e9910a8bcad3d7c784",
    "scores": "5f19250e8de9578fe63b1c8090f3746b3eff18f744d79375bda216ad4d85713c",
    "config": "b9b3a9c45c4a68c4a548deb67917a53ee4e6f5cfd9b5f24d81ee4139567e4058",
}
OTHER_PROMPTS = {"kind": "python-topics", "min_words": 6, "max_words": 24}
KNOTS = [{"iteration": 0, "weights": [0.5, 0.5]}]


def changed(base: RunConfig, changes: dict[str, Any]) -> RunConfig:
    return parse_config(base.model_dump(mode="json") | changes)


def expanded(base: RunConfig, keys: dict[str, Any]) -> RunConfig:
    return parse_config(qwen.expand(base.model_dump(mode="json") | keys))


def first_changed(changes: dict[str, Any], base: RunConfig | None = None) -> set[str]:
    """Stages up to the end of iteration 0 whose fingerprints `changes` alter."""
    base = base or smoke()
    old, new = Fingerprints(base), Fingerprints(changed(base, changes))
    found = {place.stage for place in all_places(1) if old.of(place) != new.of(place)}
    if old.of_scores(Place(0, "draw")) != new.of_scores(Place(0, "draw")):
        found.add("scores")
    return found


@pytest.mark.parametrize(("config", "known"), [(smoke(), SMOKE), (paper(), PAPER)])
def test_runs_of_the_release_before_keep_their_fingerprints(
    config: RunConfig, known: dict[str, str]
) -> None:
    fingerprints = Fingerprints(config)
    found = {str(place): fingerprints.of(place) for place in all_places(2)}
    found |= {"scores": fingerprints.of_scores(Place(1, "draw")), "config": config.fingerprint}
    assert {name: one for name, one in found.items() if "evaluate" not in name} == known


def test_no_stage_but_evaluate_has_another_algorithm_than_in_the_release_before() -> None:
    raised = {stage for stage, version in STAGE_VERSIONS.items() if version != 1}
    assert raised == {"evaluate"}


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"selection": {"num_curated": 200, "flip_probability": 0.1}}, "select retrain evaluate"),
        ({"selection": {"num_curated": 200, "score_noise": 0.1}}, "select retrain evaluate"),
        ({"training": {"real_share": 0.1}}, "retrain evaluate"),
        ({"training": {"accumulate": True}}, "retrain evaluate"),
        ({"evaluation": {"num_samples": 200, "basin_epsilon": 0.5}}, "evaluate"),
        ({"weight_schedule": KNOTS}, "draw select retrain evaluate"),
        ({"q": 0.9}, "draw select retrain evaluate"),
        ({"num_candidates": 300}, "sample scores draw select retrain evaluate"),
        ({"seed": 1}, "sample scores draw select retrain evaluate"),
        ({"iterations": 9}, ""),
        ({"training": {"real_share": 0.0}}, ""),
    ],
)
def test_an_option_changes_the_stages_it_enters_and_those_after(
    changes: dict[str, Any], stages: str
) -> None:
    assert first_changed(changes) == set(stages.split())


def test_selection_in_expectation_changes_everything_but_the_model_it_starts_from() -> None:
    drawn = changed(c9(), {"selection": {"scheme": "all"}})
    stages = {"sample", "scores", "draw", "select", "retrain", "evaluate"}
    assert first_changed({"selection": {"scheme": "expected"}}, drawn) == stages


def test_an_option_of_the_choice_alone_reaches_the_next_sample_through_the_model() -> None:
    old = Fingerprints(smoke())
    new = Fingerprints(changed(smoke(), {"selection": {"flip_probability": 0.1}}))
    assert old.of(Place(None, "initial")) == new.of(Place(None, "initial"))
    assert old.of(Place(0, "sample")) == new.of(Place(0, "sample"))
    assert old.of(Place(1, "sample")) != new.of(Place(1, "sample"))


def test_the_initial_configuration_enters_retrain_only_with_real_rows() -> None:
    def relevant(real_share: float) -> str:
        base = changed(smoke(), {"training": {"real_share": real_share}})
        fingerprints = Fingerprints(base)
        return str(fingerprints._relevant["retrain"].get("initial"))

    assert relevant(0.0) == "None"
    assert "num_points" in relevant(0.5)


def test_the_number_of_candidates_enters_evaluate_by_itself() -> None:
    # A pool of all candidates is as large as there are candidates, and predictions say so.
    relevant = Fingerprints(changed(smoke(), {"num_candidates": 300}))._relevant["evaluate"]
    assert relevant["num_candidates"] == 300


def test_the_seed_of_p_0_changes_everything_but_nothing_else_changes_p_0() -> None:
    everything = {"initial", "scores", *ITERATION_STAGES}
    assert first_changed({"initial": {"seed": 1}}) == everything
    base = c9()
    seeded = Fingerprints(changed(base, {"seed": 1})).of(model_place(0))
    assert seeded == Fingerprints(base).of(model_place(0))


def test_constants_are_shared_by_rounds_of_more_prompts_but_not_by_other_prompts() -> None:
    place = Place(None, "constants")
    base = expanded(qwen.offline(), {"prompts_per_round": 16})
    more = expanded(base, {"prompts_per_round": 32, "num_completions": 4})
    assert Fingerprints(base).of(place) == Fingerprints(more).of(place)
    source = {"prompts": base.model_dump(mode="json")["prompts"] | {"source": OTHER_PROMPTS}}
    assert Fingerprints(base).of(place) != Fingerprints(changed(base, source)).of(place)


def test_places_follow_what_they_read() -> None:
    places = list(all_places(3))
    assert len(places) == len(set(places)) == 2 + 3 * 5
    for position, place in enumerate(places):
        assert set(upstream(place)) <= set(places[:position])


def test_models_and_evaluations_are_numbered_from_p_0() -> None:
    assert [str(model_place(k)) for k in range(2)] == ["initial", "iteration-0000/retrain"]
    names = [str(evaluation_place(k)) for k in range(2)]
    assert names == ["initial/evaluate", "iteration-0000/evaluate"]


def test_a_thousand_iterations_have_fingerprints_too() -> None:
    assert len(Fingerprints(paper()).of(Place(1000, "evaluate"))) == 64
