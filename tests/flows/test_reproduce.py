"""Reproducing any experiment: reuse, verdict, page, JSON, Parquet, figure, and what is missing."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from data.errors import ConfigError, CorruptArtifact, WeightsNotAtHand
from data.store import Store
from flows.experiment import (
    FAMILY,
    Block,
    Experiment,
    Frame,
    Scale,
    Study,
    curves,
    find_experiment,
    last_values,
)
from flows.page import render_page
from flows.reproduce import num_runs, reproduce, study_points
from flows.reproduction import Reproduction, plain_outcome
from tasks.claims import HOLDS, VIOLATED, VOID, Claim
from tasks.context import RunContext
from tests.flows.tiny_experiment import NUM_RUNS, SHARE, base, run_here, tiny


def make(root: Path, experiment: Experiment, *, folder: str = "out") -> Reproduction:
    store = Store(root / "store")
    return reproduce(
        store, experiment, scale=Scale(quick=True), folder=root / folder, run_group=run_here
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the four runs of the tiny experiment are finished."""
    folder = tmp_path_factory.mktemp("reproduce")
    assert make(folder, tiny()).verdict == HOLDS
    return folder


def refuse(store: Store, group: str) -> list[str]:
    """Runs nothing."""
    return []


def test_runs_that_exist_are_not_run_again(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("manifest.json")}
    again = make(root, tiny(), folder="again")
    assert {path: path.stat().st_mtime_ns for path in root.rglob("manifest.json")} == before
    assert (again.verdict, again.num_runs, again.failed) == (HOLDS, NUM_RUNS, [])
    first, second = (root / name / "e1.parquet" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_weights_are_asked_for_while_a_run_is_missing_only(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = WeightsNotAtHand("fetch them", repos=("owner/model",))
    monkeypatch.setattr("flows.reproduce.absent_weights", lambda _config: absent)
    assert make(root, tiny(), folder="asked").verdict == HOLDS
    made = make(tmp_path, tiny())
    assert (made.verdict, made.num_runs) == ("not judged: owner/model not at hand", 0)
    assert made.remarks == ["fetch them"], "there is no rehearsal"


def test_experiments_of_one_study_share_its_group(root: Path) -> None:
    other = reproduce(
        Store(root / "store"),
        tiny(name="E2"),
        scale=Scale(quick=True),
        folder=root / "two",
        run_group=refuse,
    )
    assert (other.verdict, other.num_runs) == (HOLDS, NUM_RUNS)
    assert len(list((root / "store/groups").iterdir())) == 1
    assert (root / "two/e2.md").exists()


def test_the_page_says_everything(root: Path) -> None:
    page = make(root, tiny(), folder="page").page.read_text()
    assert page.startswith("# E1: Shares of tiny runs\n\n**Verdict: holds** (quick scale, 4 runs)")
    for line in (
        "| runs measured | 4 | = 4 | holds |",
        "![Shares of tiny runs](e1.png)",
        "| not run | 0.5 | - | - |",
        "- Two rounds say nothing.",
        "- `pluralist reproduce E1 --quick`",
        "- q = 0.3, 0.6; selection.scheme = fresh; seed = 0, 1",
        "| `rewards.0.centre` | `[-3.0, 0.0]` | mu, the point that is liked most | S |",
        "Sources: S stated in the paper",
    ):
        assert line in page
    assert "largest share \\| of basin 1" in page, "a bar in a claim would end its cell"
    assert "## Failed runs" not in page
    printed = next(line for line in page.splitlines() if line.startswith("| share at q = .3"))
    _, paper, measured, difference = (cell.strip() for cell in printed.strip("|").split("|"))
    assert paper == "0.25"
    assert float(difference) == pytest.approx(float(measured) - 0.25, abs=1e-3)


def test_the_json_is_strict_and_the_parquet_reads_back(root: Path) -> None:
    made = make(root, tiny(), folder="files")

    def refuse_constant(text: str) -> None:
        raise AssertionError(text)

    text = (root / "files/e1.json").read_text()
    found = json.loads(text, parse_constant=refuse_constant)
    assert found == json.loads(json.dumps(plain_outcome(made)))
    assert found["printed"][1]["measured"] is None
    assert [Path(found[key]).exists() for key in ("page", "results", "figure")] == [True] * 3
    frame = pd.read_parquet(found["results"])
    assert list(frame.columns) == [
        "run", "arm", "seed", "q", "selection.scheme", "k", "metric", "value",
    ]  # fmt: skip
    assert frame["run"].nunique() == NUM_RUNS
    assert sorted(frame["k"].unique()) == [0, 1, 2]
    assert (root / "files/e1.svg").exists()


def test_a_measurement_that_is_infinite_or_missing_is_null_in_the_json(root: Path) -> None:
    claims = [Claim("never", math.inf, "> 1", HOLDS), Claim("missing", math.nan, "> 1", VOID)]
    experiment = dataclasses.replace(tiny(), judge=lambda _frame, _study: claims)
    make(root, experiment, folder="infinite")
    found = json.loads((root / "infinite/e1.json").read_text())
    assert [claim["measured"] for claim in found["claims"]] == [4.0, None, None]


def test_a_violated_claim_still_has_its_figure(root: Path) -> None:
    made = make(root, tiny(below=0.1), folder="violated")
    assert made.verdict == VIOLATED
    assert made.figure == root / "violated/e1.png" and made.figure.exists()


def test_a_gallery_lies_beside_the_page_and_is_gone_with_what_it_showed(root: Path) -> None:
    seen: list[list[str]] = []

    def gallery(contexts: Sequence[RunContext]) -> dict[str, Figure]:
        seen.append([context.run for context in contexts])
        return {"samples": Figure(), "more": Figure()}

    with_gallery = dataclasses.replace(tiny(), gallery=gallery)
    made = make(root, with_gallery, folder="gallery")
    folder = root / "gallery"
    assert made.gallery == {one: folder / f"e1.{one}.png" for one in ("samples", "more")}
    assert all(path.exists() for path in made.gallery.values())
    assert len(seen[0]) == NUM_RUNS
    assert "![Shares of tiny runs: more](e1.more.png)" in made.page.read_text()
    outcome = json.loads((folder / "e1.json").read_text())
    assert outcome["gallery"] == [str(path) for path in made.gallery.values()]
    (folder / "e1-other.png").touch()
    (folder / "e10.samples.png").touch()
    assert make(root, tiny(), folder="gallery").gallery == {}
    assert {path.name for path in folder.glob("*.png")} == {
        "e1.png", "e1-other.png", "e10.samples.png",
    }, "those of other experiments stay"  # fmt: skip


def test_a_void_verdict_has_no_gallery(tmp_path: Path) -> None:
    def gallery(contexts: Sequence[RunContext]) -> dict[str, Figure]:
        raise AssertionError(contexts)

    experiment = dataclasses.replace(tiny(), gallery=gallery)
    made = reproduce(
        Store(tmp_path / "store"), experiment, scale=Scale(quick=True), folder=tmp_path / "out",
        run_group=refuse,
    )  # fmt: skip
    assert (made.verdict, made.gallery) == (VOID, {})


def test_what_is_not_judged_says_why_unless_runs_are_missing(root: Path, tmp_path: Path) -> None:
    experiment = dataclasses.replace(tiny(below=0.1), unjudged=lambda _study: "stand-in rewards")
    made = make(root, experiment, folder="unjudged")
    assert made.verdict == "not judged: stand-in rewards"
    assert made.figure is not None and made.figure.exists()
    assert "**Verdict: not judged: stand-in rewards**" in made.page.read_text()
    missing = reproduce(
        Store(tmp_path / "store"), experiment, scale=Scale(quick=True), folder=tmp_path / "out",
        run_group=refuse,
    )  # fmt: skip
    assert missing.verdict == VOID


def test_the_page_names_what_stands_in_for_the_papers_parts(root: Path) -> None:
    made = make(root, tiny(), folder="none")
    assert "- stand-ins used: none" in made.page.read_text()
    named = dataclasses.replace(made, stand_ins=("digits in place of CIFAR-10", "this of that"))
    page = render_page(named)
    assert "- stand-ins used: digits in place of CIFAR-10; this of that" in page
    assert plain_outcome(named)["stand_ins"] == ["digits in place of CIFAR-10", "this of that"]


def test_a_failed_member_is_void_named_and_without_a_figure(tmp_path: Path) -> None:
    def run_group(store: Store, group: str) -> list[str]:
        failed = run_here(store, group)
        assert failed == []
        names = sorted(path.name for path in (store.root / "runs").iterdir())
        manifest = store.root / "runs" / names[0] / "iteration-0001/evaluate/manifest.json"
        manifest.unlink()
        return names[:1]

    folder = tmp_path / "out"
    assert make(tmp_path, tiny()).figure == folder / "e1.png"
    store = Store(tmp_path / "store")
    made = reproduce(store, tiny(), scale=Scale(quick=True), folder=folder, run_group=run_group)
    assert made.verdict == VOID
    assert made.claims[0] == Claim("runs measured", 3.0, "= 4", VOID)
    assert made.figure is None
    assert not list(folder.glob("*.png")) and not list(folder.glob("*.svg")), "none of before"
    page = made.page.read_text()
    assert "**Verdict: void**" in page and "![" not in page
    assert f"## Failed runs\n\n- `{made.failed[0]}`" in page
    assert json.loads((folder / "e1.json").read_text())["figure"] is None
    assert made.results is not None
    assert len(pd.read_parquet(made.results)["run"].unique()) == 3


def test_no_run_at_all_is_void_with_a_page(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    made = reproduce(
        store, tiny(), scale=Scale(quick=False), folder=tmp_path / "out", run_group=refuse
    )
    assert made.verdict == VOID
    assert "- `pluralist reproduce E1`\n" in made.page.read_text()
    assert "(full scale, 4 runs)" in made.page.read_text()


def test_a_flipped_byte_anywhere_in_a_metrics_file_gives_no_verdict(tmp_path: Path) -> None:
    make(tmp_path, tiny())
    path = next((tmp_path / "store/runs").rglob("iteration-0001/evaluate/*/metrics.parquet"))
    content = path.read_bytes()
    for position in range(0, len(content), len(content) // 20):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CorruptArtifact, match=r"metrics\.parquet"):
            reproduce(
                Store(tmp_path / "store"), tiny(), scale=Scale(quick=True), folder=tmp_path / "out",
                run_group=refuse,
            )  # fmt: skip
        # Nothing may go on saying "holds" about data that was found damaged.
        assert list((tmp_path / "out").iterdir()) == []


def test_an_impossible_configuration_is_one_error_naming_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"q=0\.3 selection\.scheme=nearest seed=0: .*scheme"):
        make(tmp_path, tiny(scheme="nearest"))
    assert not (tmp_path / "store").exists()


@pytest.mark.slow  # hundreds of configurations
@pytest.mark.parametrize("name", FAMILY.available())
def test_runs_are_counted_as_they_are_made(name: str) -> None:
    study = find_experiment(name).study(True)
    assert num_runs(study) == len(study_points(study))


@pytest.mark.parametrize("arm", [None, "some"])
def test_changes_of_a_block_are_laid_over_the_base_key_by_key(arm: str | None) -> None:
    block = Block({"seed": (0,)}, arm, {"selection": {"scheme": "fresh", "pool_size": 4}})
    (point,) = study_points(Study("one", base(), (block,)))
    assert point.config.selection.num_curated == 40
    assert point.config.selection.pool_size == 4


def frame(rows: list[tuple[str, str, int, str, float]]) -> Frame:
    return pd.DataFrame(rows, columns=["run", "arm", "k", "metric", "value"])


def test_the_last_value_is_of_the_last_model_or_missing() -> None:
    found = frame(
        [
            ("a", "x", 0, SHARE, 0.1), ("a", "x", 1, SHARE, 0.2),
            ("b", "x", 0, SHARE, 0.3), ("b", "x", 1, "other", 1.0),
            ("c", "y", 1, SHARE, 0.4),
        ]
    )  # fmt: skip
    values = last_values(found, SHARE, arm="x")
    assert values["a"] == 0.2
    assert math.isnan(values["b"]), "not that of an earlier model"
    assert math.isnan(last_values(found, SHARE, arm="z").min(skipna=False))
    over = curves(found, SHARE, arm="x")
    assert over["a"].tolist() == [0.1, 0.2]
    assert over["b"].isna().tolist() == [False, True]
