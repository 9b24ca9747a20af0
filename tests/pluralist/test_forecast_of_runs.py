"""The command `forecast` of runs other than the plain loop, and what its text says first."""

import pytest

from tests.pluralist.conftest import Cli
from tests.pluralist.test_forecast_commands import SMOKE, Capture, forecasts, shares

ONE_SIDED = "initial={shape: gaussian, mean: [-3, 0], covariance: [[.01, 0], [0, .01]]}"
SUMMED = (
    "rewards=[{kind: quadratic, centre: [-3, 0], weight: 0}, {kind: quadratic, centre: [3, 0], "
    "weight: 0}, {kind: weighted-sum, parts: [{kind: quadratic, centre: [-3, 0]}, {kind: "
    "quadratic, centre: [3, 0]}]}]"
)


def run(cli: Cli, domain: str, name: str, *changes: str) -> None:
    settings = [part for change in changes for part in ("--set", change)]
    preset = ("--preset", "smoke") if domain == "gmm" else ()
    assert cli("run", domain, *preset, "--name", name, "--no-prefect", *settings) == 0


def test_a_run_in_expectation_starts_from_its_own_masses(cli: Cli, capsys: Capture) -> None:
    run(cli, "density", "one-sided", ONE_SIDED, "iterations=2")
    (found,) = forecasts(cli, capsys, "forecast", "one-sided", "--iteration", "0")
    assert found["path"][0] == pytest.approx([1.0, 0.0])
    assert [basin["survives"] for basin in found["basins"]] == [True, False]
    assert found["fate"] == "collapses", "no round makes mass where p_0 has none"
    assert [basin["interval"] for basin in found["basins"]] == [None, None]
    assert cli("forecast", "one-sided") == 0
    assert " low " not in capsys.readouterr().out


def test_a_run_in_expectation_is_foretold_as_its_configuration_is(
    cli: Cli, capsys: Capture
) -> None:
    run(cli, "density", "exact", "q=0.3", "iterations=2")
    call = ("--rounds", "12")
    (of_run,) = forecasts(cli, capsys, "forecast", "exact", "--iteration", "0", *call)
    (before,) = forecasts(cli, capsys, "forecast", "density", "--set", "q=0.3", *call)
    for row, other in zip(of_run["path"], before["path"], strict=True):
        assert row == pytest.approx(other, abs=1e-9)
    (later,) = forecasts(cli, capsys, "forecast", "exact", "--iteration", "1", "--rounds", "11")
    assert later["path"][-1] == pytest.approx(of_run["path"][-1], abs=1e-9)


def test_a_run_of_a_weighted_sum_has_one_preference(cli: Cli, capsys: Capture) -> None:
    run(cli, "gmm", "summed", SUMMED, "iterations=1", "num_candidates=200")
    (found,) = forecasts(cli, capsys, "forecast", "summed")
    assert [basin["reward"] for basin in found["basins"]] == ["weighted-sum-3"]
    assert shares(found) == [1.0]
    (said,) = found["warnings"]
    assert said == "one preference (weighted-sum-3) decides every draw and takes all"


def test_a_run_of_best_of_k_is_forecast_too(cli: Cli, capsys: Capture) -> None:
    pool = ("selection.scheme=fresh", "selection.pool_size=3", "selection.temperature=0")
    run(cli, "gmm", "cold", "q=0.6", "iterations=1", *pool)
    (found,) = forecasts(cli, capsys, "forecast", "cold", "--rounds", "60")
    assert shares(found) == pytest.approx([0.8, 0.2], abs=0.01), "3q - 1"
    assert found["fate"] == "stays plural"
    for basin in found["basins"]:
        low, high = basin["interval"]
        assert low < high


def test_departures_are_marked_in_the_first_line_and_listed(cli: Cli, capsys: Capture) -> None:
    noise = ("--set", "selection.score_noise=1")
    assert cli(*SMOKE, *noise) == 0
    out = capsys.readouterr().out
    assert ": stays plural (but see below)\n" in out
    assert "warning    not forecast: selection.score_noise 1; the shares are those of" in out
    (found,) = forecasts(cli, capsys, *SMOKE, *noise)
    assert found["departures"] == ["selection.score_noise 1"]


def test_a_balanced_pair_drifts_in_text_and_json(cli: Cli, capsys: Capture) -> None:
    pair = ("--set", "selection.scheme=fresh", "--set", "selection.pool_size=2")
    (found,) = forecasts(cli, capsys, *SMOKE, *pair)
    assert (found["fate"], found["collapses"]) == ("drifts", False)
    assert cli(*SMOKE, *pair) == 0
    assert ": drifts\n" in capsys.readouterr().out
