"""A pool that grows: seeds, survivors, numbers through all rounds, the same digests resumed."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.errors import ConfigError
from flows.rounds import rounds
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tasks.places import Place
from tasks.real_rows import real_rows
from tasks.sample import CANDIDATES
from tasks.stage import run_place
from tasks.survivor_pool import SURVIVORS_FILE, competitors, first_candidate_id, positions_of
from tests.flows.conftest import MakeRun

SEEDS, CANDIDATES_A_ROUND, SURVIVORS, CURATED = 50, 40, 10, 30
CHANGES: dict[str, Any] = {
    "iterations": 3,
    "num_candidates": CANDIDATES_A_ROUND,
    "selection": {"num_curated": CURATED},
    "pool": {"num_seeds": SEEDS, "num_survivors": SURVIVORS},
}


@pytest.fixture
def grown(make_run: MakeRun) -> RunContext:
    return make_run("grown", CHANGES)


def ids(context: RunContext, t: int, stage: str, name: str) -> list[int]:
    found: list[int] = context.open_place(Place(t, stage)).table(name)["candidate_id"].to_pylist()
    return found


def points(table: pa.Table) -> list[tuple[float, float]]:
    return list(zip(table["x"].to_pylist(), table["y"].to_pylist(), strict=True))


def test_iteration_0_holds_real_rows_and_candidates_are_numbered_through_all_rounds(
    grown: RunContext,
) -> None:
    seeds = grown.table(0, "sample", CANDIDATES)
    real = points(real_rows(grown.config))
    assert seeds.num_rows == SEEDS
    assert len(set(points(seeds))) == SEEDS and set(points(seeds)) <= set(real)
    for t in range(3):
        first = first_candidate_id(grown.config, t)
        assert first == (0, SEEDS, SEEDS + CANDIDATES_A_ROUND)[t]
        numbers = ids(grown, t, "sample", CANDIDATES)
        assert numbers == list(range(first, first + (CANDIDATES_A_ROUND if t else SEEDS)))


def test_the_pool_grows_by_distinct_survivors_of_the_round(grown: RunContext) -> None:
    pool: list[int] = []
    for t in range(3):
        kept = ids(grown, t, "select", SURVIVORS_FILE)
        assert len(kept) == len(set(kept)) == (SURVIVORS if t else SEEDS)
        assert set(kept) <= set(ids(grown, t, "sample", CANDIDATES))
        pool += sorted(kept)
        rows = competitors(grown, t, "sample", CANDIDATES)
        assert rows["candidate_id"].to_pylist() == pool
        assert set(ids(grown, t, "select", "winners.parquet")) <= set(pool)
    scores = competitors(grown, 2, "draw", "scores.parquet")
    expected = grown.scores(competitors(grown, 2, "sample", CANDIDATES))
    names = grown.config.reward_names
    np.testing.assert_array_equal(np.column_stack([scores[name] for name in names]), expected)


def test_winners_come_from_earlier_rounds_too(grown: RunContext) -> None:
    winners = ids(grown, 2, "select", "winners.parquet")
    assert min(winners) < SEEDS, "the seeds are most of the pool"


@pytest.mark.parametrize("num_places", [2 + 5 + 3, 2 + 10 + 2])
def test_a_resumed_run_has_the_digests_of_an_uninterrupted_one(
    make_run: MakeRun, grown: RunContext, num_places: int
) -> None:
    parts = make_run("parts", CHANGES, run=False)
    for place in list(parts.places())[:num_places]:
        run_place(RunContext(parts.store, parts.record), place)
    rounds(RunContext(parts.store, parts.record))

    def digests(context: RunContext) -> list[tuple[str, str]]:
        found = stage_digests(context.store, context.store.read_run(context.run))
        return [(str(place), digest) for place, digest in found]

    assert digests(parts) == digests(grown)


def test_a_choice_reads_the_choice_before_it(make_run: MakeRun) -> None:
    context = make_run(changes=CHANGES, run=False)
    assert Place(1, "select") in context.upstream(Place(2, "select"))
    plain = make_run("plain", run=False)
    assert Place(1, "select") not in plain.upstream(Place(2, "select"))


def test_more_seeds_than_real_rows_are_refused(make_run: MakeRun) -> None:
    context = make_run(
        changes=CHANGES | {"pool": {"num_seeds": 10_000, "num_survivors": 5}}, run=False
    )
    text = "pool.num_seeds: expected at most the 1000 real rows there are, got 10000; lower it"
    with pytest.raises(ConfigError, match=text):
        rounds(context)


def test_positions_are_found_by_number_and_a_missing_candidate_is_our_mistake() -> None:
    numbers = np.array([3, 5, 9])
    np.testing.assert_array_equal(positions_of(np.array([9, 3, 9]), numbers), [2, 0, 2])
    with pytest.raises(AssertionError, match="no such candidate"):
        positions_of(np.array([4]), numbers)
