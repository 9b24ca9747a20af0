"""The command `forecast`: from a domain, a YAML file or a run, as text, JSON and figure."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]
PAIR = ("--set", "selection.scheme=fresh", "--set", "selection.pool_size=2")
SMOKE = ("forecast", "gmm", "--preset", "smoke")
DYING = (
    "warning    K = 2 with weights .7/.3: the minority (quadratic-2) dies out; the smallest K "
    "that keeps it is 4"
)
THREE = (
    "rewards=[{kind: quadratic, centre: [-3, 0], weight: .5}, {kind: quadratic, centre: [3, 0], "
    "weight: .3}, {kind: quadratic, centre: [0, 4], weight: .2}]"
)


def forecasts(cli: Cli, capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert cli(*arguments, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["command"]) == ("pluralist/1", "forecast")
    found: list[dict[str, Any]] = document["data"]["forecasts"]
    return found


def shares(forecast: dict[str, Any]) -> list[float]:
    return [round(basin["limit_share"], 6) for basin in forecast["basins"]]


def test_a_pool_of_two_kills_the_minority_and_says_what_would_keep_it(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    assert cli("forecast", "gmm", "--set", "q=0.7", *PAIR) == 0
    out = capsys.readouterr().out
    assert DYING in out.splitlines()
    assert out.startswith("pluralistic: collapses\n") and "\nsingle: collapses\n" in out
    assert "warning    one preference (quadratic-1) decides every draw and takes all" in out
    four = ("--set", "selection.scheme=fresh", "--set", "selection.pool_size=4")
    (kept,) = forecasts(cli, capsys, *SMOKE, "--set", "q=0.7", *four)
    assert not kept["collapses"] and kept["warnings"] == []
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_the_limit_of_all_candidates_is_the_weights(cli: Cli, capsys: Capture) -> None:
    (found,) = forecasts(cli, capsys, *SMOKE, "--set", "q=0.3", "--rounds", "40")
    assert shares(found) == [0.3, 0.7]
    assert [basin["survives"] for basin in found["basins"]] == [True, True]
    assert (found["pool_size"], found["smallest_safe_pool"], found["num_modes"]) == (None, 4, 2)
    assert len(found["path"]) == len(found["outside"]) == 41
    assert found["path"][0] == pytest.approx([0.5, 0.5]) and sum(
        found["path"][-1]
    ) == pytest.approx(1)
    assert [row["q"] for row in found["effect_of_q"]] == [
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
    ]
    assert all(row["limit_share"] == pytest.approx(row["q"]) for row in found["effect_of_q"])


def test_rounds_to_the_outside_mass_are_those_of_its_path(cli: Cli, capsys: Capture) -> None:
    calls = [(*SMOKE, "--rounds", "30", "--outside", text) for text in ("0.01", "0.5", "0", "1")]
    found = [forecasts(cli, capsys, *call)[0] for call in calls]
    outside = found[0]["outside"]
    assert outside == sorted(outside, reverse=True), "the mass outside only falls"
    for one, mass in zip(found, (0.01, 0.5, 0.0, 1.0), strict=True):
        reached = one["rounds_to_outside"]
        within = [k for k, left in enumerate(outside) if left <= mass]
        assert reached == {"mass": mass, "rounds": within[0] if within else None}
    assert found[3]["rounds_to_outside"]["rounds"] == 0
    assert cli(*SMOKE, "--rounds", "2", "--outside", "0.01") == 0
    assert "outside    at most 0.01 not within 2 rounds" in capsys.readouterr().out


def test_rewards_that_are_too_near_each_other_end_in_a_compromise(
    cli: Cli, capsys: Capture
) -> None:
    (found,) = forecasts(cli, capsys, *SMOKE, "--set", "distance=1")
    assert found["collapses"] and found["num_modes"] == 1
    assert found["warnings"] == [
        "the rewards are too near each other for these weights: the loop settles on one "
        "compromise mode, whatever the pool; move them apart, or lower the temperature"
    ]


@pytest.mark.parametrize(("q", "alone"), [("0", "quadratic-2"), ("1", "quadratic-1")])
def test_one_reward_alone_takes_all(cli: Cli, capsys: Capture, q: str, alone: str) -> None:
    (found,) = forecasts(cli, capsys, *SMOKE, "--set", f"q={q}")
    assert [(basin["reward"], basin["limit_share"]) for basin in found["basins"]] == [(alone, 1.0)]
    assert found["collapses"] and found["fate"] == "collapses"
    assert found["warnings"] == [f"one preference ({alone}) decides every draw and takes all"]


def test_a_schedule_that_ends_with_one_reward_alone_says_so(cli: Cli, capsys: Capture) -> None:
    knots = "weight_schedule=[{iteration: 0, weights: [.5, .5]}, {iteration: 2, weights: [1, 0]}]"
    (found,) = forecasts(cli, capsys, *SMOKE, "--set", knots)
    assert shares(found) == [1.0, 0.0]
    (said,) = found["warnings"]
    assert said == "one preference (quadratic-1) decides every draw in the end and takes all"
    assert found["path"][1] == pytest.approx([0.5, 0.5]), "the path follows the schedule"


def test_a_pool_of_one_moves_nothing(cli: Cli, capsys: Capture) -> None:
    one = ("--set", "selection.scheme=fresh", "--set", "selection.pool_size=1")
    (found,) = forecasts(cli, capsys, *SMOKE, "--set", "q=0.7", *one)
    assert shares(found) == [0.5, 0.5]
    assert found["effect_of_q"] == []
    assert found["warnings"] == ["K = 1 selects nothing: the loop retrains on its own samples"]


def test_three_rewards_other_rewards_and_no_temperature_have_their_own_paths(
    cli: Cli, capsys: Capture
) -> None:
    (three,) = forecasts(cli, capsys, *SMOKE, "--set", THREE)
    assert shares(three) == [0.5, 0.3, 0.2]
    assert (three["smallest_safe_pool"], three["effect_of_q"]) == (5, [])
    (bumps,) = forecasts(cli, capsys, "forecast", "density", "--set", "q=0.8")
    assert shares(bumps) == pytest.approx([0.8, 0.2], abs=0.01), "bumps of height 5 leak a little"
    best = ("--set", "selection.temperature=0", "--set", "selection.scheme=fresh")
    (cold,) = forecasts(
        cli, capsys, *SMOKE, *best, "--set", "selection.pool_size=3", "--set", "q=0.6"
    )
    assert shares(cold) == [0.8, 0.2], "3q - 1"
    for found in (three, bumps, cold):
        assert (found["fate"], found["num_modes"]) == ("stays plural", None)
        assert found["assumptions"][1].startswith("a model that can represent every density")
        assert found["outside"][-1] < found["outside"][0]


def test_a_yaml_file_is_read_as_by_run(cli: Cli, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("domain: gmm\niterations: 7\nq: 0.2\n")
    (found,) = forecasts(cli, capsys, "forecast", str(path))
    assert found["name"] == str(path)
    assert shares(found) == [0.2, 0.8]
    assert len(found["path"]) == 8
    assert cli("forecast", str(tmp_path / "none.yaml")) == 2
    assert "expected a readable YAML file" in capsys.readouterr().err


def test_a_run_is_forecast_from_its_last_or_a_given_round(smoke: Cli, capsys: Capture) -> None:
    (last,) = forecasts(smoke, capsys, "forecast", "first")
    assert last["name"] == "first"
    assert last["assumptions"] == [
        "no samples beyond the candidates of iteration 2, which are reweighted",
        "smallest K and effect of q from the configuration",
    ]
    assert len(last["path"]) == 31
    (early,) = forecasts(smoke, capsys, "forecast", "first", "--iteration", "0", "--rounds", "4")
    assert "of iteration 0," in early["assumptions"][0]
    assert len(early["path"]) == 5
    assert early["path"][0] != last["path"][0]
    for found in (last, early):
        assert len(found["outside"]) == len(found["path"])
        for i, basin in enumerate(found["basins"]):
            low, high = basin["interval"]
            assert 0 <= low < found["path"][1][i] < high <= 1, "of the share after one round"
            assert basin["limit_share"] == basin["share_at_end"] == pytest.approx(0.5, abs=0.01)
    assert forecasts(smoke, capsys, "forecast", "first") == [last], "the resamples are seeded"
    assert smoke("forecast", "first") == 0
    out = capsys.readouterr().out
    assert out.startswith("first: stays plural\n")
    assert all(f" {column} " in out for column in ("after 1", "low", "high"))


def test_a_pair_of_a_run_dies_as_that_of_a_configuration(cli: Cli, capsys: Capture) -> None:
    call = ("--preset", "smoke", "--name", "pair", "--no-prefect", "--set", "q=0.7", *PAIR)
    assert cli("run", "gmm", *call) == 0
    (found,) = forecasts(cli, capsys, "forecast", "pair", "--rounds", "30")
    assert found["collapses"]
    assert [basin["survives"] for basin in found["basins"]] == [True, False]
    assert DYING.removeprefix("warning    ") in found["warnings"]


@pytest.mark.parametrize(
    "target", [("gmm", "--preset", "smoke", "--set", "q=0.4"), ("gmm",), ("density",)]
)
def test_a_figure_is_written_where_it_is_asked_for(
    cli: Cli, capsys: Capture, tmp_path: Path, target: tuple[str, ...]
) -> None:
    folder = tmp_path / "plots/here"
    assert cli("forecast", *target, "--plot", str(folder)) == 0
    out = capsys.readouterr().out
    for suffix in ("png", "svg"):
        assert f"figure     {folder / f'forecast.{suffix}'}" in out
        assert (folder / f"forecast.{suffix}").stat().st_size > 1000
    assert cli("forecast", *target, "-o", str(folder), "--json") == 0
    figures = json.loads(capsys.readouterr().out)["data"]["figures"]
    assert figures == [str(folder / f"forecast.{suffix}") for suffix in ("png", "svg")]


def test_a_folder_that_cannot_be_written_ends_with_code_9(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")
    assert cli(*SMOKE, "--plot", str(tmp_path / "taken")) == 9
    assert capsys.readouterr().err.count("error: ") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nothing",), 5, "expected a domain (cifar10, density, gmm, gpt2, qwen), a YAML"),
        (("gmm", "--iteration", "1"), 2, "expected no --iteration, which belongs to a run, got 1"),
        (("gmm", "--set", "q=2"), 2, "q: expected a number between 0 and 1, got 2"),
        (("gmm", "--preset", "large"), 2, "preset: expected one of paper, smoke for gmm"),
        (("gmm", "--rounds", "0"), 2, "--rounds"),
        (("gmm", "--outside", "2"), 2, "--outside"),
    ],
)
def test_what_cannot_be_forecast_is_one_clear_error(
    cli: Cli, capsys: Capture, arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert cli("forecast", *arguments) == code
    shown = capsys.readouterr()
    assert message in shown.err and shown.out == ""


def test_what_a_run_cannot_be_asked_for_is_one_clear_error(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    asked = [
        (("--set", "q=0.5"), 2, "expected no --preset and no --set"),
        (("--preset", "smoke"), 2, "expected no --preset and no --set"),
        (("--iteration", "9"), 5, "stage of iteration 9, got iterations 0 to 2"),
        (("--iteration=-1",), 5, "stage of iteration -1, got iterations 0 to 2"),
    ]
    for arguments, code, message in asked:
        assert smoke("forecast", "first", *arguments) == code
        shown = capsys.readouterr()
        assert message in shown.err and shown.out == ""
    for path in (tmp_path / "store/runs/first").glob("iteration-*/draw/manifest.json"):
        path.unlink()
    assert smoke("forecast", "first") == 5
    assert "the draw stage of iteration None, got no draw stage at all" in capsys.readouterr().err


def test_a_damaged_file_of_the_run_ends_with_code_5(
    smoke: Cli, capsys: Capture, tmp_path: Path
) -> None:
    for t, file in ((2, "draw/*/scores.parquet"), (1, "sample/**/candidates.parquet")):
        (path,) = (tmp_path / f"store/runs/first/iteration-000{t}").glob(file)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        assert smoke("forecast", "first", "--iteration", str(t)) == 5
        assert f"{path.name}: sha256 expected" in capsys.readouterr().err
    assert smoke("forecast", "first", "--iteration", "0") == 0
