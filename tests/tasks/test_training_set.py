"""What the next model is trained on: real rows, earlier rounds, chances instead of winners."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from flows.density import c9
from flows.gmm import smoke
from flows.rounds import rounds
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tasks.places import Place, all_places
from tasks.real_rows import find_real_rows, real_rows
from tasks.settings import parse_config
from tasks.training_set import curated_rows, training_set
from tests.flows.conftest import MakeRun

SOME = {"selection": {"num_curated": 50}, "num_candidates": 60}


def rows_of(table: pa.Table) -> list[tuple[float, float]]:
    return list(zip(table["x"].to_pylist(), table["y"].to_pylist(), strict=True))


def curated_of(context: RunContext, t: int) -> list[tuple[float, float]]:
    candidates = context.table(t, "sample", "candidates.parquet")
    return rows_of(curated_rows(candidates, context.table(t, "select", "winners.parquet")))


def digests(context: RunContext) -> dict[str, str]:
    record = context.store.read_run(context.run)
    return {str(place): digest for place, digest in stage_digests(context.store, record)}


def stopped_after(context: RunContext, num_places: int) -> None:
    """The first places of a run, each as another process would find those before it."""
    from tasks.stage import run_place

    for place in list(all_places(3))[:num_places]:
        run_place(RunContext(context.store, context.record), place)


def test_curated_rows_are_the_winners_in_draw_order_without_keys() -> None:
    candidates = pa.table(
        {"candidate_id": [0, 1, 2], "group": [0, 0, 0], "mass": [0.2, 0.3, 0.5], "x": [5, 6, 7]}
    )
    curated = curated_rows(candidates, pa.table({"candidate_id": [2, 0, 2]}))
    assert curated.column_names == ["x"]
    assert curated["x"].to_pylist() == [7, 5, 7]


def test_without_options_the_curated_set_is_all(make_run: MakeRun) -> None:
    context = make_run(changes=SOME)
    assert rows_of(training_set(context, 1)) == curated_of(context, 1)


@pytest.mark.parametrize(("share", "num_real"), [(0.31, 16), (0.3, 15), (0.009, 0), (1.0, 50)])
def test_exactly_round_f_m_rows_are_real(make_run: MakeRun, share: float, num_real: int) -> None:
    context = make_run(changes=SOME | {"training": {"real_share": share}})
    rows, real = rows_of(training_set(context, 1)), set(rows_of(real_rows(context.config)))
    assert len(rows) == 50
    assert sum(row in real for row in rows) == num_real
    kept = [row for row in rows if row not in real]
    curated = curated_of(context, 1)
    assert all(kept.count(row) <= curated.count(row) for row in kept), "no curated row twice"


def test_real_rows_differ_between_rounds_and_are_the_same_every_time(make_run: MakeRun) -> None:
    context = make_run(changes=SOME | {"training": {"real_share": 1.0}})
    first, second = (rows_of(training_set(context, t)) for t in (0, 1))
    assert first != second
    assert first == rows_of(training_set(RunContext(context.store, context.record), 0))


def test_accumulated_rounds_are_all_curated_sets_in_order(make_run: MakeRun) -> None:
    context = make_run(changes=SOME | {"training": {"accumulate": True}})
    assert rows_of(training_set(context, 2)) == [
        row for t in range(3) for row in curated_of(context, t)
    ]


def test_accumulation_with_real_rows_has_every_real_row_once(make_run: MakeRun) -> None:
    training = {"accumulate": True, "real_share": 0.01}
    context = make_run(changes=SOME | {"training": training})
    rows, real = rows_of(training_set(context, 2)), rows_of(real_rows(context.config))
    assert rows[: len(real)] == real
    assert rows[len(real) :] == [row for t in range(3) for row in curated_of(context, t)]


@pytest.mark.parametrize("training", [{"accumulate": True}, {"real_share": 0.4}])
def test_a_resumed_run_has_the_digests_of_an_uninterrupted_one(
    make_run: MakeRun, training: dict[str, Any]
) -> None:
    whole = make_run("whole", SOME | {"training": training})
    parts = make_run("parts", SOME | {"training": training}, run=False)
    stopped_after(parts, 2 + 5 + 3)  # up to the selection of iteration 1
    rounds(RunContext(parts.store, parts.record))
    assert digests(parts) == digests(whole)


def test_an_accumulated_model_is_another_than_a_plain_one_from_the_second_round_on(
    make_run: MakeRun,
) -> None:
    plain, kept = make_run("plain", SOME), make_run("kept", SOME | {"training": {"accumulate": 1}})
    for t, same in ((0, True), (1, False)):
        bytes_of = [
            context.open_place(Place(t, "retrain")).path("model/model.safetensors").read_bytes()
            for context in (plain, kept)
        ]
        assert (bytes_of[0] == bytes_of[1]) is same


def test_in_expectation_rows_weigh_the_rewards_weight_times_the_chance(
    make_idealised: MakeRun,
) -> None:
    context = make_idealised({"q": 0.3})
    rows = training_set(context, 1)
    weights = rows["weight"].to_numpy()
    assert rows.num_rows == 2 * 101
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert [weights[:101].sum(), weights[101:].sum()] == pytest.approx([0.3, 0.7])
    chances = context.table(1, "select", "winners.parquet")["probability"].to_numpy()
    np.testing.assert_allclose(weights, np.repeat([0.3, 0.7], 101) * chances, rtol=1e-12)


def test_in_expectation_the_weights_are_those_of_the_schedule(make_idealised: MakeRun) -> None:
    knots = [{"iteration": 0, "weights": [1, 0]}, {"iteration": 2, "weights": [0, 1]}]
    context = make_idealised({"weight_schedule": knots})
    for t, first in ((0, 1.0), (1, 0.5), (2, 0.0)):
        weights = training_set(context, t)["weight"].to_numpy()
        assert weights[:101].sum() == pytest.approx(first, abs=1e-12)


def test_real_rows_are_what_p_0_was_fitted_to_whatever_the_seed_of_the_run() -> None:
    config = parse_config(smoke().model_dump(mode="json") | {"seed": 9})
    assert rows_of(real_rows(config)) == rows_of(real_rows(smoke()))
    assert real_rows(config).num_rows == 1000


def test_a_family_without_real_rows_has_none_to_mix_in() -> None:
    assert find_real_rows(c9()) is None
    text = "real_share, pool: expected a generator with real data, got 'density'; leave them out"
    with pytest.raises(ConfigError, match=text):
        real_rows(c9())
