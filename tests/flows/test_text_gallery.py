"""What runs of text show of their texts, and what they hide."""

import json
from pathlib import Path

import pytest

from data.text_split import is_held_out
from data.ultrafeedback import UltraFeedback
from flows.text_figures import draw_texts
from flows.text_gallery import excerpts_in_html, excerpts_of, first_seeds, histograms_of
from pluralist.application import run_application
from tasks.context import RunContext
from tasks.text_samples import HIDDEN
from tests.data.text_sources import given, write_columns
from tests.flows.text_runs import run

SOURCES = ("xstest_safe", "advbench_harmful_behaviors")
SAFE, VILE = "kind question", "vile request"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    """A run on prompts in UltraFeedback's layout, only half of the held-out ones safe."""
    root = tmp_path_factory.mktemp("text")
    parts: dict[tuple[bool, str], list[str]] = {}
    for kind in (SAFE, VILE):
        for text in (f"{kind} {number}" for number in range(200)):
            parts.setdefault((is_held_out(text), kind), []).append(text)
    del parts[False, SAFE]
    texts = [text for some in zip(*parts.values(), strict=False) for text in some][:40]
    sources = [SOURCES[text.startswith(VILE)] for text in texts]
    file = write_columns(root / "p.parquet", {"prompt": texts, "source": sources})
    prompts = UltraFeedback(origin="parquet", **given(file, sources=SOURCES))
    changes = {"prompts": {"source": prompts.model_dump(mode="json")}, "iterations": 1}
    return run(root / "store", "qwen", changes)


def test_a_few_texts_of_every_model_are_shown(mixed: RunContext) -> None:
    found = excerpts_of(mixed)
    assert [*found] == [0, 1]
    assert [len(texts) for texts in found.values()] == [3, 3]
    assert {one.unsafe for one in found[0]} == {False, True}
    assert all(one.unsafe == (VILE in (one.prompt or "")) for one in found[0])


def test_a_page_folds_unsafe_prompts_and_a_file_leaves_them_out(
    mixed: RunContext, tmp_path: Path
) -> None:
    page = excerpts_in_html({"an arm": mixed})["an arm"]
    assert SAFE in page
    folded = f"<details><summary>{HIDDEN}</summary>"
    for part in page.split(VILE)[:-1]:
        _, fold, opened = part.rpartition(folded)
        assert fold and "</details>" not in opened
    draw_texts([mixed], tmp_path)
    written = (tmp_path / "samples.txt").read_text()
    assert SAFE in written and HIDDEN in written and VILE not in written


@pytest.mark.parametrize("place", [("0", "sample"), ("last", "evaluate"), ("initial", "evaluate")])
def test_show_hides_unsafe_prompts_until_asked(
    mixed: RunContext, capsys: Capture, place: tuple[str, str]
) -> None:
    call = ["show", mixed.run, *place, "--store", str(mixed.store.root)]
    assert run_application(call) == 0
    printed = capsys.readouterr().out
    assert HIDDEN in printed and VILE not in printed
    assert run_application([*call, "--json"]) == 0
    printed = capsys.readouterr().out
    assert VILE not in printed
    table = json.loads(printed)["data"]["files"]
    assert any(one.get("hidden") for one in table)
    assert run_application([*call, "--unsafe"]) == 0
    assert VILE in capsys.readouterr().out


def test_nothing_is_drawn_of_arms_that_were_not_run(mixed: RunContext) -> None:
    assert first_seeds([mixed], ["no such arm"]) == {}
    assert histograms_of({}) == {} and excerpts_in_html({}) == {}
    assert [*histograms_of({"an arm": mixed})] == ["lengths"]
