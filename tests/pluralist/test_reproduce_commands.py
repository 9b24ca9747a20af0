"""The command `reproduce`: names, list, pages, JSON, --strict and what goes wrong."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

import flows.e1
import flows.e2
from data.store import Store
from flows.experiment import FAMILY, Experiment, Scale
from flows.reproduce import reproduce
from tests.flows.tiny_experiment import run_here, tiny
from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]
QUICK = ("--quick", "--no-prefect")


def put(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
    """Have E1, or E2, be another experiment."""
    module = {"E1": flows.e1, "E2": flows.e2}[experiment.name]
    monkeypatch.setattr(module, "EXPERIMENT", experiment)


@pytest.fixture
def finished(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line where E1 is the tiny experiment and its runs are complete."""
    put(monkeypatch, tiny())
    store = Store(tmp_path / "store")
    made = reproduce(
        store, tiny(), scale=Scale(quick=True), folder=tmp_path / "before", run_group=run_here
    )
    assert made.verdict == "holds"
    return cli


def data(capsys: Capture) -> Any:
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["command"]) == ("pluralist/1", "reproduce")
    return document["data"]["experiments"]


def test_the_list_names_every_experiment_with_its_runs(cli: Cli, capsys: Capture) -> None:
    assert cli("reproduce", "--list") == 0
    out = capsys.readouterr().out
    assert cli("reproduce", "--list", "--json") == 0
    rows = {row["name"]: row for row in data(capsys)}
    assert [name.lower() for name in rows] == list(FAMILY.available())
    assert {"E1", "E2", "E5", "E6", "E7", "E8", "C9", "forecast"} <= rows.keys()
    assert (rows["E1"]["quick_runs"], rows["E1"]["full_runs"]) == (10, 40)
    assert (rows["E5"]["quick_runs"], rows["E5"]["full_runs"]) == (25, 100)
    assert all(
        row["quick_runs"] <= row["full_runs"] and row["title"] in out for row in rows.values()
    )


@pytest.mark.parametrize("names", [("E99",), ("e1", "nothing")])
def test_an_unknown_name_lists_those_there_are(
    cli: Cli, capsys: Capture, tmp_path: Path, names: tuple[str, ...]
) -> None:
    assert cli("reproduce", *names) == 2
    message = capsys.readouterr().err
    assert f"experiment: expected one of {', '.join(FAMILY.available())}, got" in message
    assert list(tmp_path.iterdir()) == [], "no experiment was started"


def test_no_name_says_what_there_is(cli: Cli, capsys: Capture) -> None:
    assert cli("reproduce") == 2
    message = capsys.readouterr().err
    assert f"expected an experiment, one of {', '.join(FAMILY.available())}" in message
    assert "`--list` says what each is" in message


def test_an_experiment_by_name_in_either_case_prints_its_verdict_and_writes_its_page(
    finished: Cli, capsys: Capture, tmp_path: Path
) -> None:
    assert finished("reproduce", "e1", *QUICK) == 0
    shown = capsys.readouterr()
    folder = tmp_path / "store/reports/quick"
    assert "E1: holds (quick, 4 runs)" in shown.out
    assert "remark     Two rounds say nothing." in shown.out
    for kind, file in (("page", "e1.md"), ("figure", "e1.png"), ("results", "e1.parquet")):
        assert f"{kind:<10} {folder / file}" in shown.out
        assert (folder / file).exists()
    assert "E1 (quick): Shares of tiny runs" in shown.err
    before = (folder / "e1.md").read_bytes()
    assert finished("reproduce", "E1", "e1", *QUICK) == 0
    assert capsys.readouterr().out == shown.out, "once, however often it is named"
    assert (folder / "e1.md").read_bytes() == before


def test_json_is_one_document_of_all_experiments(
    finished: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, tiny(name="E2", below=0.1))
    output = ("--output", str(tmp_path / "mine"))
    assert finished("reproduce", "E1", "E2", *QUICK, *output, "--json") == 0
    first, second = data(capsys)
    assert (first["experiment"], first["verdict"]) == ("E1", "holds")
    assert (second["experiment"], second["verdict"]) == ("E2", "violated")
    assert first["group"] == second["group"] and first["runs"] == 4
    assert first["printed"][1] == {"quantity": "not run", "printed": 0.5, "measured": None}
    for one in (first, second):
        written = Path(one["page"]).with_suffix(".json")
        assert written.parent == tmp_path / "mine/quick"
        assert json.loads(written.read_text()) == one


def test_strict_ends_with_11_unless_all_hold(
    finished: Cli, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert finished("reproduce", "E1", *QUICK, "--strict") == 0
    put(monkeypatch, tiny(name="E2", below=0.1))
    assert finished("reproduce", "E2", *QUICK) == 0
    assert "E2: violated" in capsys.readouterr().out
    assert finished("reproduce", "E1", "E2", *QUICK, "--strict") == 11
    shown = capsys.readouterr()
    assert "E2 did not hold, and --strict was given" in shown.err
    assert "E1: holds" in shown.out and "E2: violated" in shown.out


def test_a_damaged_metrics_file_ends_with_code_5_and_no_page(
    finished: Cli, capsys: Capture, tmp_path: Path
) -> None:
    path = next((tmp_path / "store/runs").rglob("iteration-0001/evaluate/*/metrics.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert finished("reproduce", "E1", *QUICK) == 5
    shown = capsys.readouterr()
    assert "metrics.parquet: sha256 expected" in shown.err
    assert "holds" not in shown.out
    assert not (tmp_path / "store/reports").exists()


def test_a_study_with_an_impossible_configuration_is_one_error(
    cli: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, tiny(scheme="nearest"))
    assert cli("reproduce", "E1", *QUICK) == 2
    message = capsys.readouterr().err
    assert message.count("error: ") == 1
    assert "q=0.3 selection.scheme=nearest seed=0: selection.scheme: " in message
    assert not (tmp_path / "store").exists()


def test_a_member_that_fails_is_void_and_named(
    cli: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, tiny(far=True))
    assert cli("reproduce", "E1", *QUICK, "--concurrency", "2") == 0
    shown = capsys.readouterr()
    assert "E1: void (quick, 4 runs)" in shown.out
    assert "figure" not in shown.out
    errors = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2 and all("expected finite scores" in line for line in errors)
    page = (tmp_path / "store/reports/quick/e1.md").read_text()
    assert page.count("- `tiny-") == 2 and "## Failed runs" in page
    assert cli("reproduce", "E1", *QUICK, "--strict") == 11


def test_a_page_does_not_outlive_its_data_and_how_to_go_on_is_said(
    finished: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, tiny(name="E2"))
    assert finished("reproduce", "E1", "E2", *QUICK) == 0
    folder = tmp_path / "store/reports/quick"
    assert len(list(folder.glob("e1.*"))) == len(list(folder.glob("e2.*"))) == 5
    path = next((tmp_path / "store/runs").rglob("iteration-0001/evaluate/*/metrics.parquet"))
    damage = bytearray(path.read_bytes())
    damage[len(damage) // 2] ^= 1
    path.write_bytes(damage)
    capsys.readouterr()
    assert finished("reproduce", "E1", "E2", *QUICK) == 5
    assert list(folder.glob("e1.*")) == []
    assert len(list(folder.glob("e2.*"))) == 5, "E2 has not been started"
    store = tmp_path / "store"
    expected = f"resume with: pluralist reproduce E1 E2 --quick --store {store}"
    assert expected in capsys.readouterr().err


def test_an_interruption_of_the_second_experiment_says_how_to_go_on_with_it(
    finished: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import flows.reproduce

    put(monkeypatch, tiny(name="E2"))
    whole = flows.reproduce.reproduce

    def stop(store: Store, experiment: Experiment, **options: Any) -> Any:
        if experiment.name == "E2":
            signal.raise_signal(signal.SIGINT)
        return whole(store, experiment, **options)

    monkeypatch.setattr(flows.reproduce, "reproduce", stop)
    output = tmp_path / "mine"
    assert finished("reproduce", "E1", "E2", *QUICK, "--output", str(output)) == 130
    expected = f"resume with: pluralist reproduce E2 --quick --output {output} --store "
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "repos", "num_commands"),
    [
        ("E10", ("yuvalkirstain/PickScore_v1", "LAION-AI/aesthetic-predictor"), 6),
        ("E11", ("Qwen/Qwen2.5-1.5B", "meta-llama/Llama-Guard-3-1B"), 3),
    ],
)
def test_without_the_published_weights_no_run_is_started_and_nothing_judged(
    cli: Cli,
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    repos: tuple[str, ...],
    num_commands: int,
) -> None:
    from huggingface_hub import constants

    for place in ("HF_HUB_CACHE", "HF_ASSETS_CACHE"):
        monkeypatch.setattr(constants, place, str(tmp_path / place))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert cli("reproduce", name, "--no-prefect") == 0
    shown = capsys.readouterr().out
    folder = tmp_path / "store/reports/paper"
    page = (folder / f"{name.lower()}.md").read_text()
    verdict = next(line for line in shown.splitlines() if line.startswith(f"{name}: not judged: "))
    assert verdict.endswith(" not at hand (paper, 0 runs)")
    assert all(repo in verdict for repo in repos)
    for text in (shown, page):
        assert text.count("where there is a network run `") == num_commands
        assert f"`pluralist reproduce {name} --preset rehearsal` goes through every stage" in text
    assert "no run was started" in page and "results" not in shown
    assert not (tmp_path / "store/runs").exists() and not (tmp_path / "store/groups").exists()
    assert {path.suffix for path in folder.iterdir()} == {".md", ".json"}
    assert cli("reproduce", name, "--no-prefect", "--json", "--strict") == 11
    (outcome,) = data(capsys)
    assert (outcome["runs"], outcome["results"], outcome["figure"]) == (0, None, None)
    assert outcome["verdict"] == verdict.removeprefix(f"{name}: ").removesuffix(" (paper, 0 runs)")
