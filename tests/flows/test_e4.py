"""E4 on frames made up to hold, to fail and to lack a metric; its studies and its words."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from flows.e4 import BALANCED, DISTANCES, EXPERIMENT, LEAKAGES, SINGLE, late, shown
from flows.sweep_points import Point
from tasks.claims import HOLDS, VOID, overall
from tests.flows.frames import Measure, check_judge, check_pages, made_up, with_seeds
from tests.flows.small_studies import small

SMALL = small("e4", {"iterations": 8})


def measured(point: Point, k: int) -> dict[str, float]:
    """Lengths that narrow to two, the later the farther apart they are; none narrow at k = 0."""
    d = float(point.values["distance"])
    end = np.log(2) if d else 0.0
    single = point.arm == SINGLE
    entropy = end + (1 + d / 10) * np.exp(-k / 2) + 0.001 * point.config.seed
    return {
        "word_length_entropy": entropy,
        "basin_mass.short": 1.0 if single else 0.5,
        "basin_mass.long": 0.0 if single else 0.5,
        **{metric: d / 100 + k / 1000 for metric in LEAKAGES if not single or "short.l" in metric},
        "mean_words": 10 + d / 2,
        "distinct_2": 0.5,
        "share_truncated": 0.0,
        "held_out_perplexity": 30.0,
    }


def changed(**values: float) -> Measure:
    return lambda point, k: measured(point, k) | values


def falling(point: Point, k: int) -> dict[str, float]:
    return measured(point, k) | {"word_length_entropy": 9 - float(point.values["distance"])}


def wide(point: Point, k: int) -> dict[str, float]:
    return measured(point, k) | {"word_length_entropy": 5.0 * (point.config.seed % 2)}


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    opposites = [falling, wide, changed(**{"basin_mass.short": 0.0, "basin_mass.long": 1.0})]
    check_judge(SMALL, measured, opposites, ("word_length_entropy", "basin_mass.long"))


def test_figure_table_and_remarks_are_made_of_what_was_measured() -> None:
    study = with_seeds(SMALL.study(True), 2)
    frame = made_up(study, measured)
    check_pages(EXPERIMENT, frame, study)
    table = EXPERIMENT.table(frame, study)
    assert table is not None and len(table) == len(DISTANCES) + 1
    leaked = table["late leakage, long in short"].tolist()
    assert leaked == [
        "one bin",
        *(f"{d / 100 + 0.0075:.4g} ± 0" for d in DISTANCES[1:]),
        "not drawn",
    ]
    assert "ln 2" in " ".join(EXPERIMENT.remarks(frame, study))


def test_late_is_the_last_quarter_of_the_rounds() -> None:
    study = with_seeds(SMALL.study(True), 2)
    frame = made_up(study, lambda point, k: measured(point, k) | {"mean_words": float(k)})
    found = late(frame, "mean_words", arm=BALANCED, distance=5)
    np.testing.assert_array_equal(found, [7.5, 7.5])  # of k = 7, 8
    assert late(frame, "mean_words", arm="none").size == 0


def test_shown_are_the_first_seeds_of_named_distances() -> None:
    def run(arm: str, distance: int, seed: int) -> Any:
        record = SimpleNamespace(arm=arm, axes={"distance": distance, "seed": seed})
        return SimpleNamespace(record=record, config=SimpleNamespace(seed=seed))

    runs = [run(BALANCED, d, seed) for seed in (1, 0) for d in DISTANCES]
    assert shown(runs) == {"balanced, d = 0": runs[5], "balanced, d = 20": runs[8]}
    single = run(SINGLE, 20, 3)
    assert shown([*runs, single])["single, d = 20"] is single


def test_one_seed_is_not_judged() -> None:
    study = with_seeds(SMALL.study(True), 1)
    reason = EXPERIMENT.unjudged(study)
    assert reason is not None and "one seed" in reason
    assert overall(EXPERIMENT.judge(made_up(study, measured), study)) == VOID
    assert EXPERIMENT.unjudged(with_seeds(study, 2)) is None


@pytest.mark.parametrize("preset", EXPERIMENT.presets)
def test_every_preset_has_the_five_distances_and_a_single_reward(preset: str) -> None:
    study = EXPERIMENT.presets[preset](False)
    arms = {block.arm: tuple(block.axes["distance"]) for block in study.blocks}
    assert arms == {BALANCED: DISTANCES, SINGLE: (20,)}
    assert len(study.blocks[0].axes["seed"]) >= 3


def test_the_verdict_of_what_was_made_up_to_hold_holds() -> None:
    study = with_seeds(SMALL.study(True), 5)
    assert overall(EXPERIMENT.judge(made_up(study, measured), study)) == HOLDS
