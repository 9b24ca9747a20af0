"""Prompts with their sources, from the hub and from a file."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data.configuration import describe_errors
from data.errors import ConfigError, EnvironmentProblem
from data.ultrafeedback import BINARIZED, FILE, ON_HUB, Prompt, UltraFeedback, read_prompts
from tests.data.text_sources import given, sha256, strings, write_columns

PROMPTS = ["How?", "Why?\n", "When?"]
SOURCES = [BINARIZED, "false_qa", BINARIZED]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def in_file(path: Path, **more: Any) -> UltraFeedback:
    return UltraFeedback(origin="parquet", **given(path, **more))


def test_a_file_gives_the_prompts_of_the_wanted_sources(tmp_path: Path) -> None:
    path = write_columns(
        tmp_path / "p.parquet", {"prompt": PROMPTS, "source": SOURCES, "x": PROMPTS}
    )
    assert read_prompts(in_file(path)) == (Prompt("How?", BINARIZED), Prompt("When?", BINARIZED))
    found = read_prompts(in_file(path, sources=["false_qa"]))
    assert found == (Prompt("Why?\n", "false_qa"),)


def test_the_hub_has_one_source(tmp_path: Path) -> None:
    config = UltraFeedback(path=str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="ultrafeedback: expected data/train_prefs-00"):
        read_prompts(config)
    snapshot = f"datasets--{ON_HUB.repo.replace('/', '--')}/snapshots/{ON_HUB.revision}"
    write_columns(tmp_path / snapshot / FILE, {"prompt": PROMPTS, "prompt_id": PROMPTS})
    assert read_prompts(config) == tuple(Prompt(text, BINARIZED) for text in PROMPTS)


def test_a_source_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "p.parquet", {"prompt": PROMPTS, "source": SOURCES})
    there = r"false_qa \(1\), ultrafeedback_binarized \(2\); correct sources"
    with pytest.raises(ConfigError, match=f"expected prompts of source flan in .*got {there}"):
        read_prompts(in_file(path, sources=[BINARIZED, "flan"]))
    empty = write_columns(tmp_path / "e.parquet", {"prompt": strings(), "source": strings()})
    with pytest.raises(ConfigError, match=r"source ultrafeedback_binarized in .*got none; correct"):
        read_prompts(in_file(empty))


def test_columns_and_rows_that_are_no_prompts_are_refused(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "a.parquet", {"instruction": PROMPTS, "source": SOURCES})
    with pytest.raises(ConfigError, match="ultrafeedback: expected a column prompt: string"):
        read_prompts(in_file(path))
    bad = {"prompt": strings(b"fine", b"\xed\xa0\xbd"), "source": SOURCES[:2]}
    with pytest.raises(ConfigError, match=r"Unicode text in row 1 \(from 0\)"):
        read_prompts(in_file(write_columns(tmp_path / "b.parquet", bad)))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"origin": "parquet"}, "expected path and sha256 of a file for origin 'parquet', got"),
        ({"origin": "parquet", "path": "p"}, "got path 'p' and sha256 None; set both"),
        ({"sha256": "0" * 64}, "sha256: expected none for origin 'hub', whose commit is pinned"),
        ({"sources": []}, "sources: "),
    ],
)
def test_a_configuration_that_does_not_say_which_file_is_refused(
    config: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        UltraFeedback.model_validate(config)
    assert expected in describe_errors(caught.value)


def test_what_is_read_is_in_the_fingerprint_and_where_it_lies_is_not(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "p.parquet", {"prompt": PROMPTS, "source": SOURCES})
    assert in_file(path).fingerprint_part() == {
        "kind": "ultrafeedback",
        "sha256": sha256(path),
        "sources": [BINARIZED],
    }
