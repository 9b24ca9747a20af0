"""What a finished run shows: its table and its figures."""

import dataclasses
import math

import numpy as np
import pytest

from flows import results, run_figures
from flows.results import NOT_PREDICTED, summarise
from pluralist.launch import _agreement, _allowed
from tasks.agreement import HOLDS, UNMET
from tasks.context import RunContext
from tasks.figures import ArmCurves, draw_moments
from tests.flows.conftest import MakeRun

CENTRES = ([-3.0, 0.0], [3.0, 0.0])
PARTS = [{"kind": "quadratic", "centre": list(centre), "weight": 0.5} for centre in CENTRES]
SUM = {"rewards": [*PARTS[:1], {"kind": "weighted-sum", "weight": 1.0, "parts": PARTS}]}


def summary_of(context: RunContext) -> results.Summary:
    folder = context.store.run_folder(context.run)
    return summarise(context.store, [context.record], folder=folder, experiment=None)


def row(quantity: str, lower: float, upper: float, **facts: str) -> results.Comparison:
    return results.Comparison(
        "run",
        quantity,
        0.5,
        0.5,
        lower,
        upper,
        facts.get("verdict", "holds"),
        facts.get("basis", ""),
    )


def test_a_run_without_closed_forms_shows_its_last_model(make_run: MakeRun) -> None:
    shown = {one.quantity: one for one in summary_of(make_run("sum", SUM)).comparisons}
    variance = shown["reward_var.quadratic-1"]
    assert variance.measured > 0
    assert math.isnan(variance.predicted)
    assert variance.verdict == NOT_PREDICTED
    assert _allowed(variance) == "-"
    assert {"reward_mean.quadratic-1", "reward_mean.weighted-sum-2"} <= shown.keys()


def test_a_run_with_closed_forms_shows_no_quantity_twice(make_run: MakeRun) -> None:
    found = summary_of(make_run()).comparisons
    assert NOT_PREDICTED not in {one.verdict for one in found}
    assert len({one.quantity for one in found}) == len(found)


@pytest.mark.parametrize(
    ("quantity", "lower", "upper", "text"),
    [
        ("basin_mass.a", -0.2, 1.3, "0 to 1"),
        ("reward_var.a", -2.0, 3.0, "0 to 3"),
        ("reward_mean.a", -2.0, 3.0, "-2 to 3"),
        ("reward_var_bound.a", 0.5, math.inf, ">= 0.5"),
        ("limit_share.a", 1.1, 1.2, "1 to 1"),
    ],
)
def test_the_interval_is_cut_to_what_can_be(
    quantity: str, lower: float, upper: float, text: str
) -> None:
    assert _allowed(row(quantity, lower, upper)) == text


def test_an_assumption_that_is_not_met_is_named() -> None:
    basis = "the paper; not met: a candidate in every basin"
    assert _agreement(row("basins", 0, 1, verdict=UNMET, basis=basis)) == (
        "assumption not met: a candidate in every basin"
    )
    assert _agreement(row("basins", 0, 1, basis="the paper")) == "holds"


def test_a_curve_whose_assumption_is_not_met_at_the_end_is_not_drawn(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_run()
    history = [results.metrics_of(context, k) for k in range(context.config.iterations + 1)]
    name = f"reward_var.{context.config.reward_names[0]}"
    read = run_figures.predictions_of

    def unmet(context: RunContext, k: int) -> list[dict[str, object]]:
        last = k == context.config.iterations
        return [
            one | {"verdict": UNMET if last and one["quantity"] == name else HOLDS}
            for one in read(context, k)
        ]

    monkeypatch.setattr(run_figures, "predictions_of", unmet)
    drawn = run_figures._curves(context, history).predicted
    assert name not in drawn
    assert "reward_var.quadratic-2" in drawn


def test_a_predicted_variance_of_0_is_left_out_of_the_logarithmic_panel() -> None:
    measured = {"reward_mean.a": np.ones(3), "reward_var.a": np.ones(3)}
    predicted = {"reward_mean.a": np.array([0.0, -1.0, 1.0]), "reward_var.a": np.array([2, 0, -1])}
    arm = ArmCurves("pluralistic", measured, predicted)
    figure = draw_moments([arm], ["a"], variance_unit=2.0)
    mean, variance = figure.axes
    np.testing.assert_array_equal(mean.lines[1].get_ydata(), [0.0, -1.0, 1.0])
    np.testing.assert_array_equal(variance.lines[1].get_ydata(), [1.0, np.nan, np.nan])
    without = dataclasses.replace(arm, predicted={})
    figure = draw_moments([without], ["a"], variance_unit=2.0)
    assert [len(panel.lines) for panel in figure.axes] == [1, 1]
