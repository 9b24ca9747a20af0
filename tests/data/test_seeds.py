"""Seeds depend on the place of a stage alone."""

import itertools

import pytest

from data.seeds import STAGE_NUMBERS, stage_rng, stage_seed


def test_every_place_has_its_own_seed() -> None:
    places = itertools.product(STAGE_NUMBERS, range(20), range(3), range(2))
    seeds = [
        stage_seed(7, stage, iteration, shard=shard, stream=stream)
        for stage, iteration, shard, stream in places
    ]
    assert len(set(seeds)) == len(seeds)


def test_a_seed_is_the_same_number_on_every_machine() -> None:
    assert stage_seed(0, "sample", 0) == 808926768163661873
    assert stage_seed(7, "evaluate", 31, shard=2, stream=1) == 1147333242180111849


def test_generators_of_one_place_agree() -> None:
    first, second = stage_rng(1, "select", 3), stage_rng(1, "select", 3)
    assert first.random(5).tolist() == second.random(5).tolist()


def test_an_unknown_stage_has_no_seed() -> None:
    with pytest.raises(KeyError, match="selekt"):
        stage_seed(0, "selekt", 0)
