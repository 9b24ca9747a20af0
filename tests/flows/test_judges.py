"""Every claim of every experiment: it holds for the theory's numbers, and something turns it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from flows.e8 import PAIRS
from flows.experiment import Frame
from flows.transition import GAMMAS, ORDER, REFERENCE, critical_distance, half_height
from tasks.claims import HOLDS, VIOLATED, VOID, overall
from tests.flows.cases import FIRST, POOL, SECOND, Case, case, changed

Damage = Callable[[Frame], Frame]

NAMES = ("e1", "e2", "e5", "e6", "e7", "e8", "forecast")
known = cache(case)


def damage(metric: str, change: Callable[[Any], Any], **where: Any) -> Damage:
    return lambda frame: changed(frame, metric, change, **where)


def times(factor: float) -> Callable[[Any], Any]:
    return lambda values: factor * values


def shuffled(arm: str) -> Damage:
    """The distances of an arm in reverse order."""

    def shuffle(frame: Frame) -> Frame:
        rows, copy = frame["arm"] == arm, frame.copy()
        found = sorted(frame.loc[rows, "distance"].unique())
        copy.loc[rows, "distance"] = copy.loc[rows, "distance"].map(
            dict(zip(found, found[::-1], strict=True))
        )
        return copy

    return shuffle


def of_transition(arm: str) -> dict[str, Damage]:
    largest = GAMMAS[arm] ** 2 * (REFERENCE * critical_distance(GAMMAS[arm])) ** 4 / 4
    near = {"arm": arm, "distance": 0.0}
    return {
        f"{arm}: least M² / m*² at d >= 1.75 D_c": damage(ORDER, lambda v: 0.5 * v, arm=arm),
        f"{arm}: largest M² at .5 <= d / D_c <= .75": damage(ORDER, lambda v: v + 0.3, arm=arm),
        f"{arm}: Spearman of M² with d, d >= .75 D_c": shuffled(arm),
        f"{arm}: d / D_c at half height of M²": damage(ORDER, lambda _: 0.0, arm=arm),
        f"{arm}: Var[r_i] below .5 D_c over that at 4.24 D_c": damage(
            f"reward_var.{SECOND}", lambda _: 0.02 * largest, **near
        ),
    }


def of_leakage() -> dict[str, Damage]:
    found: dict[str, Damage] = {}
    for arm in GAMMAS:
        for pair in PAIRS:
            label = pair.replace(".", " in the basin of ")
            found[f"{arm}: Spearman of leakage with d, {label}"] = shuffled(arm)
            found[f"{arm}: leakage at d >= 2.5 D_c, {label}"] = damage(
                f"leakage.{pair}", lambda v: v + 0.02, arm=arm
            )
    return found


def of_pools() -> dict[str, Damage]:
    found: dict[str, Damage] = {}
    for metric in (f"reward_{kind}.{name}" for name in (FIRST, SECOND) for kind in ("mean", "var")):
        label = f"q = .5: largest deviation of {metric}, K >= 16 from all, in standard errors"
        found[label] = damage(metric, lambda v: 1.02 * v, q=0.5, **{POOL: 32.0})
    for size in (2, 4, 8, 16, 32, 64, 128, None):
        found[f"q = .7, K = {size or 'all'}: |share - finite-pool limit|"] = damage(
            "basin_mass", lambda v: 1 - v, q=0.7, **{POOL: size}
        )
    return found


TURNS: Mapping[str, dict[str, Damage]] = {
    "e1": {
        f"least Var[{FIRST}] / (gamma^2 d^4 / 4), plural": damage(
            f"reward_var.{FIRST}", lambda v: 0.4 * v, arm="pluralistic", seed=3
        ),
        f"least Var[{SECOND}] / (gamma^2 d^4 / 4), plural": damage(
            f"reward_var.{SECOND}", lambda v: 0.4 * v, arm="pluralistic", seed=3
        ),
        **{
            f"{which} weight of component {i}, plural": damage(
                f"component_weight.{i}", times(c), arm="pluralistic", seed=4
            )
            for i in range(2)
            for which, c in (("least", 0.4), ("largest", 1.6))
        },
        "largest Var[r_1] single / least plural": damage(
            f"reward_var.{FIRST}", lambda _: 20.0, arm="single", seed=1
        ),
    },
    "e2": of_transition("gamma-1"),
    "e5": {
        **{
            f"|weight of mode 1 - q| at q = {q:g}": damage(
                "component_weight.0", lambda v: v + 0.06, q=q
            )
            for q in (0.1, 0.3, 0.5, 0.7, 0.9)
        },
        "Spearman of weight with q": damage("component_weight.0", lambda v: 1 - v),
        "least Var[r_i] of any run": damage(f"reward_var.{FIRST}", lambda _: 0.5, q=0.9, seed=2),
    },
    "e6": of_pools(),
    "e7": {label: turn for arm in GAMMAS for label, turn in of_transition(arm).items()},
    "e8": of_leakage(),
    "forecast": {
        **{
            f"K = {size or 'all'}: largest |mean share - forecast| over q": damage(
                "basin_mass", lambda v: v + 0.04, q=0.3, **{POOL: size}
            )
            for size in (3, 4, 16, None)
        },
        "K = 2, q = .7: largest share of the minority, measured and forecast": damage(
            "basin_mass", lambda v: v - 0.02, q=0.7, seed=1, **{POOL: 2}
        ),
    },
}
# Metrics that are judged, with a run in which they are.
NEEDED: Mapping[str, list[tuple[str, dict[str, Any]]]] = {
    "e1": [
        (f"reward_var.{FIRST}", {"arm": "pluralistic"}),
        (f"reward_var.{SECOND}", {"arm": "pluralistic"}),
        (f"reward_var.{FIRST}", {"arm": "single"}),
        ("component_weight.0", {"arm": "pluralistic"}),
        ("component_weight.1", {"arm": "pluralistic"}),
    ],
    "e2": [
        (ORDER, {"arm": "gamma-1", "distance": 0.75 * 2**0.5}),
        (f"reward_var.{FIRST}", {"arm": "gamma-1", "distance": 0.0}),
    ],
    "e5": [("component_weight.0", {"q": 0.5}), (f"reward_var.{SECOND}", {"q": 0.9})],
    "e6": [
        (f"reward_mean.{FIRST}", {"q": 0.5, POOL: 16.0}),
        (f"reward_var.{SECOND}", {"q": 0.5, POOL: None}),
        (f"basin_mass.{FIRST}", {"q": 0.7, POOL: 2.0}),
    ],
    "e7": [(ORDER, {"arm": arm, "distance": 6 / GAMMAS[arm] ** 0.5}) for arm in GAMMAS],
    "e8": [
        (f"leakage.{pair}", {"arm": arm, "distance": 6 / GAMMAS[arm] ** 0.5})
        for pair in PAIRS
        for arm in GAMMAS
    ],
    "forecast": [
        (f"basin_mass.{FIRST}", {"q": 0.1, POOL: 16.0}),
        (f"basin_mass.{FIRST}", {"q": 0.7, POOL: 2.0}),
    ],
}
WANTED = [(name, metric, where) for name in NAMES for metric, where in NEEDED[name]]


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_holds_where_the_theory_is_right(name: str) -> None:
    assert set(known(name).verdicts(known(name).frame).values()) == {HOLDS}


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_claim_that_nothing_turns(name: str) -> None:
    one = known(name)
    claims = [claim.claim for claim in one.experiment.judge(one.frame, one.study)]
    assert len(set(claims)) == len(claims)
    assert set(claims) == TURNS[name].keys()


@pytest.mark.parametrize(
    ("name", "claim"), [(name, claim) for name in NAMES for claim in TURNS[name]]
)
def test_a_wrong_measurement_turns_its_claim(name: str, claim: str) -> None:
    one = known(name)
    damaged = one.verdicts(TURNS[name][claim](one.frame))
    assert damaged[claim] == VIOLATED
    assert set(damaged.values()) == {HOLDS, VIOLATED}


def one_run(one: Case, metric: str, where: dict[str, Any]) -> tuple[Frame, "np.ndarray[Any, Any]"]:
    """The frame, and which of its rows are `metric` of one run chosen by `where`."""
    rows = one.frame["metric"] == metric
    for column, value in where.items():
        shown = one.frame[column]
        rows &= shown.isna() if value is None else (
            np.isclose(shown, value, atol=1e-5) if column == "distance" else shown == value
        )  # fmt: skip
    assert rows.any()
    run = one.frame.loc[rows, "run"].iloc[0]
    return one.frame, (rows & (one.frame["run"] == run)).to_numpy()


@pytest.mark.parametrize(("name", "metric", "where"), WANTED)
def test_a_metric_missing_in_the_last_model_of_one_run_is_void(
    name: str, metric: str, where: dict[str, Any]
) -> None:
    frame, rows = one_run(known(name), metric, where)
    last = rows & (frame["k"] == frame["k"].max())
    assert overall(known(name).claims(frame[~last])) == VOID


@pytest.mark.parametrize(("name", "metric", "where"), WANTED)
def test_a_nan_in_the_last_model_of_one_run_is_void(
    name: str, metric: str, where: dict[str, Any]
) -> None:
    frame, rows = one_run(known(name), metric, where)
    copy = frame.copy()
    copy.loc[rows & (frame["k"] == frame["k"].max()), "value"] = np.nan
    assert overall(known(name).claims(copy)) == VOID


@pytest.mark.parametrize(("name", "metric", "where"), WANTED)
def test_a_metric_missing_everywhere_is_void(name: str, metric: str, where: dict[str, Any]) -> None:
    frame = known(name).frame
    assert overall(known(name).claims(frame[frame["metric"] != metric])) == VOID


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_run_is_void_whichever_it_is(name: str) -> None:
    one = known(name)
    for run in one.frame["run"].unique()[[0, 7, -1]]:
        claims = one.claims(one.frame[one.frame["run"] != run])
        assert claims[0].verdict == VOID
        assert overall(claims) == VOID


@pytest.mark.parametrize("name", NAMES)
def test_nothing_measured_is_void(name: str) -> None:
    assert overall(known(name).claims(known(name).frame.iloc[:0])) == VOID


@pytest.mark.parametrize("name", NAMES)
def test_figure_table_and_remarks_are_made_of_what_was_measured(name: str) -> None:
    one = known(name)
    figure = one.experiment.draw(one.frame, one.study)
    assert all(panel.lines for panel in figure.axes if panel.get_visible())
    table = one.experiment.table(one.frame, one.study)
    assert table is None or not table.isna().to_numpy().any()
    assert all(remark.endswith(".") for remark in one.experiment.remarks(one.frame, one.study))


@pytest.mark.parametrize("name", NAMES)
def test_the_full_study_has_all_runs_of_the_quick_one_or_more(name: str) -> None:
    experiment = known(name).experiment
    quick, full = experiment.study(True), experiment.study(False)
    assert quick.base == full.base
    arms = [block.arm for block in full.blocks]
    assert arms == [block.arm for block in quick.blocks]
    for small, large in zip(quick.blocks, full.blocks, strict=True):
        assert small.axes.keys() == large.axes.keys() and "seed" in small.axes
        assert all(set(small.axes[key]) <= set(large.axes[key]) for key in small.axes)


@pytest.mark.parametrize(
    ("squared", "height"),
    [
        ([0.0, 0.2, 0.6, 1.0], 1.75),
        ([0.6, 0.7, 0.8, 0.9], 0.5),
        ([0.0, 0.1, 0.2, 0.3], np.inf),
        ([0.0, np.nan, 0.6, 1.0], np.nan),
        ([], np.nan),
    ],
)
def test_half_height_is_where_one_half_is_crossed_first(
    squared: list[float], height: float
) -> None:
    scaled = np.array([0.5, 1.0, 2.0, 3.0])[: len(squared)]
    found = half_height(scaled, np.array(squared))
    assert found == pytest.approx(height, nan_ok=True)
