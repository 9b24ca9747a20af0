"""Entropy, tails and distance to the real data of models that were really trained."""

import numpy as np
import pytest

from flows.results import metrics_of
from tasks.context import RunContext
from tasks.distribution import measure_distribution
from tasks.places import evaluation_place
from tasks.point_metrics import frechet_distance, moments
from tasks.real_rows import real_rows
from tests.flows.conftest import MakeRun


def measured_of_p_0(context: RunContext, num_samples: int) -> dict[str, float]:
    model = context.model(0)
    return measure_distribution(context, model, model.sample(num_samples, seed=11), None)


def test_p_0_covers_its_own_tails_once(make_run: MakeRun) -> None:
    measured = measured_of_p_0(make_run(), 40_000)
    # Sampling noise of the floor (20,000 samples) and of the share below it.
    deviation = np.sqrt((1 / 20_000 + 1 / 40_000) * 0.95 / 0.05)
    assert measured["tail_coverage"] == pytest.approx(1, abs=4 * deviation)


def test_the_entropy_of_one_gaussian_has_a_closed_form(make_run: MakeRun) -> None:
    context = make_run()
    covariance = context.model(0).fit.components.covariances[0]  # type: ignore[attr-defined]
    expected = 0.5 * np.log(np.linalg.det(2 * np.pi * np.e * covariance))
    # Of -log p(x) = const + chi2_2 / 2, whose variance is 1.
    measured = measured_of_p_0(context, 40_000)
    assert measured["entropy"] == pytest.approx(expected, abs=4 / 200)


def test_a_narrowed_model_no_longer_reaches_the_tails(make_run: MakeRun) -> None:
    context = make_run(changes={"q": 1.0, "distance": 1.0})
    first, last = metrics_of(context, 0), metrics_of(context, 3)
    assert last["tail_coverage"] < 0.3 * first["tail_coverage"]
    assert last["entropy"] < first["entropy"] - 1


def test_the_distance_to_the_real_data_is_that_of_their_moments(make_run: MakeRun) -> None:
    context = make_run()
    samples = context.open_place(evaluation_place(3)).table("samples.parquet")
    points, real = (
        np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()])
        for table in (samples, real_rows(context.config))
    )
    expected = frechet_distance(moments(points), moments(real))
    assert metrics_of(context, 3)["real_distance"] == pytest.approx(expected)
    assert metrics_of(context, 0)["real_distance"] < 0.2 < expected


def test_the_idealised_model_has_spread_but_neither_tails_nor_real_data(
    make_idealised: MakeRun,
) -> None:
    context = make_idealised()
    model = context.model(0)
    support = model.support()  # type: ignore[attr-defined]
    measured = measure_distribution(context, model, support, support["mass"].to_numpy())
    # 101 points of equal mass, .2 apart.
    assert measured == pytest.approx({"variance_total": 0.04 * (101**2 - 1) / 12})
