"""E3 on frames made up to hold, to fail and to lack a metric; its studies and its words."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import entr

from flows.class_arms import polarised_arms
from flows.e3 import EXPERIMENT, distance_from_limit
from flows.reproduce import num_runs, study_points
from flows.sweep_points import Point
from tasks.claims import VIOLATED, overall
from tests.flows.frames import Measure, check_judge, check_pages, made_up, with_seeds
from tests.flows.small_studies import small
from theory.limits import finite_pool_limit

# As judged, but for the number of rounds.
SMALL = small("e3", {"iterations": 2})

Change = Callable[[dict[str, float], Point], dict[str, float]]


def entropy_of(point: Point, *, endless: bool = False) -> float:
    """Entropy of the limit shares of a run's classes, or of those of an infinite pool."""
    selection = point.config.selection
    size = None if endless or selection.scheme == "all" else selection.pool_size
    return float(entr(finite_pool_limit(point.config.weights, size)).sum())


def measured(point: Point, k: int) -> dict[str, float]:
    """The finite-pool limit from the first round on, the rest in the order the paper prints."""
    liked = len(point.config.rewards)
    entropy = entropy_of(point) + 0.001 * point.config.seed
    return {
        "class_entropy": entropy,
        "kl_to_uniform": np.log(10) - entropy,
        "feature_variance": 0.2 + 0.1 * liked,
        "intra_class_variance": 0.3 + 0.1 * liked,
        "frechet_classifier": 100 - 10 * liked + point.config.seed,
        "precision": 0.5,
        "recall": 0.1 * liked,
    }


def with_change(change: Change) -> Measure:
    return lambda point, k: measured(point, k) | change(measured(point, k), point)


FALLING = with_change(
    lambda found, _: {name: 3 - value for name, value in found.items() if "frechet" not in name}
)
ENDLESS = with_change(lambda _, point: {"class_entropy": entropy_of(point, endless=True) + 0.01})
FARTHER = with_change(lambda found, _: {"frechet_classifier": 200 - found["frechet_classifier"]})
WIDE = with_change(
    lambda found, point: {"class_entropy": found["class_entropy"] + 2 * (point.config.seed % 2)}
)
SHIFTED = with_change(lambda found, _: {"class_entropy": found["class_entropy"] + 1})


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    needed = ("class_entropy", "feature_variance", "intra_class_variance", "frechet_classifier")
    check_judge(SMALL, measured, [FALLING, ENDLESS, FARTHER, WIDE, SHIFTED], needed)


def test_shares_of_an_infinite_pool_violate_the_explanation_alone() -> None:
    study = with_seeds(SMALL.study(True), 2)
    claims = EXPERIMENT.judge(made_up(study, ENDLESS), study)
    wrong = [one.claim for one in claims if one.verdict == VIOLATED]
    assert wrong
    assert all("limit" in claim and "K = 4" in claim for claim in wrong)


def test_figure_table_and_remarks_are_made_of_what_was_measured() -> None:
    study = with_seeds(SMALL.study(True), 2)
    frame = made_up(study, measured)
    check_pages(EXPERIMENT, frame, study)
    table = EXPERIMENT.table(frame, study)
    assert table is not None
    assert table["arm"].is_unique and len(table) == len(study.blocks)
    words = " ".join(EXPERIMENT.remarks(frame, study))
    assert "is no FID" in words and "nearer to the limit of a finite pool" in words
    assert "nearer" not in " ".join(EXPERIMENT.remarks(made_up(study, ENDLESS), study))


def test_a_figure_is_drawn_of_whatever_runs_there_are() -> None:
    study = with_seeds(SMALL.study(True), 2)
    frame = made_up(study, measured)
    EXPERIMENT.draw(frame[frame["arm"] == "m5"], study)


def test_print_stands_beside_measurements_and_fid_beside_fid_only() -> None:
    study = with_seeds(SMALL.study(True), 1)
    frame = made_up(study, measured)
    rows = {one.quantity: one for one in EXPERIMENT.compare(frame, study)}
    assert len(rows) == 9 * 4
    assert rows["M = 5: class entropy"].printed == 1.687
    assert rows["M = 5: class entropy"].measured == pytest.approx(np.log(5))
    assert rows["q = 0.1: intra-class variance"].printed == 0.07
    assert not any("FID" in name for name in rows)

    def with_fid(point: Point, k: int) -> dict[str, float]:
        return measured(point, k) | {"fid": 50.0 - len(point.config.rewards)}

    rows = {one.quantity: one for one in EXPERIMENT.compare(made_up(study, with_fid), study)}
    assert (rows["M = 2: FID"].printed, rows["M = 2: FID"].measured) == (77.6, 48.0)


def test_fid_in_some_runs_only_is_not_what_they_are_judged_by() -> None:
    study = with_seeds(SMALL.study(True), 2)

    def claims(change: Measure) -> set[str]:
        return {one.claim for one in EXPERIMENT.judge(made_up(study, change), study)}

    def with_fid(point: Point, k: int) -> dict[str, float]:
        return measured(point, k) | {"fid": 50.0 - len(point.config.rewards)}

    def with_some(point: Point, k: int) -> dict[str, float]:
        return (with_fid if point.config.seed == 0 else measured)(point, k)

    assert claims(with_some) == claims(measured)
    assert claims(with_fid) != claims(measured), "a claim names its distance"


@pytest.mark.parametrize("preset", EXPERIMENT.presets)
def test_studies_run_nothing_twice_and_the_quick_one_is_part_of_the_full_one(preset: str) -> None:
    quick, full = (EXPERIMENT.presets[preset](one) for one in (True, False))
    known = [point.config.fingerprint for point in study_points(full)]
    assert len(set(known)) == len(known)
    assert {point.config.fingerprint for point in study_points(quick)} <= set(known)
    assert num_runs(quick) < num_runs(full)


def test_one_seed_has_no_verdict() -> None:
    assert EXPERIMENT.unjudged(EXPERIMENT.presets["paper"](False)) is not None
    assert EXPERIMENT.unjudged(EXPERIMENT.presets["digits"](True)) is None


@pytest.mark.parametrize("preset", EXPERIMENT.presets)
def test_the_smaller_studies_are_judged_by_what_they_have(preset: str) -> None:
    study = with_seeds(EXPERIMENT.presets[preset](True), 2)
    claims = EXPERIMENT.judge(made_up(study, measured), study)
    assert overall(claims) == "holds", [one for one in claims if one.verdict != "holds"]


def test_the_distance_from_the_limit_is_that_of_the_means() -> None:
    study = with_seeds(SMALL.study(True), 1)
    frame, arms = made_up(study, measured), polarised_arms(study, 4)
    assert distance_from_limit(frame, arms, 4) == pytest.approx(0, abs=1e-12)
    apart = [abs(one.limit_entropy(None) - one.limit_entropy(4)) for one in arms.values()]
    assert distance_from_limit(frame, arms, None) == pytest.approx(np.mean(apart))


def test_what_differs_from_print_and_theory_is_said_where_it_was_measured() -> None:
    study = with_seeds(SMALL.study(True), 1)

    def lost(point: Point, k: int) -> dict[str, float]:
        found = measured(point, k)
        if point.arm == "k4-q30":
            found["class_entropy"] = 0.06
        return found | {"feature_variance": 0.7 if k == 0 else 0.5 - found["feature_variance"]}

    words = " ".join(EXPERIMENT.remarks(made_up(study, lost), study))
    assert "measured are 0.06, printed .036" in words
    assert "it is 0.7 at p_0 and ends at 0.2, 0.1, " in words
    assert "at p_0" not in " ".join(EXPERIMENT.remarks(made_up(study, measured), study))
