"""What `show` prints of a table, whatever its rows hold."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.artifact import Artifact
from data.commit import Attempt
from data.prompts import AnyPrompts
from data.schemas import CANDIDATE_KEYS, METRICS, described
from data.texts import text_schema, text_table
from data.ultrafeedback import UltraFeedback
from pluralist.output import print_json
from pluralist.tables import HEAD_ROWS, READ, describe_file, print_file
from tasks.text_samples import HIDDEN
from tests.data.text_sources import given, write_columns

Capture = pytest.CaptureFixture[str]

HOSTILE = ["\x1b[2J\x07\r\n\u202e[red]", "x" * 1_000_000, "", "\ufffd\u0000", "[bold]plain[/bold]"]
IDS = [np.arange(length, dtype=np.int32) for length in (3, 200_000, 0, 8, 9)]


def committed(folder: Path, table: pa.Table, schema: pa.Schema) -> Artifact:
    with Attempt(folder) as attempt:
        attempt.write_table("candidates.parquet", table, schema)
        return attempt.publish(run="a", iteration=0, stage="sample", fingerprint="f" * 64)


def described_file(
    folder: Path, table: pa.Table, schema: pa.Schema, *, hide: AnyPrompts | None = None
) -> dict[str, Any]:
    artifact = committed(folder, table, schema)
    return describe_file(artifact, artifact.manifest.entry("candidates.parquet"), hide=hide)


@pytest.fixture
def texts(tmp_path: Path) -> dict[str, Any]:
    """candidates.parquet of texts that no terminal should be given as they are."""
    payload = text_table(IDS, HOSTILE, np.ones(5, dtype=bool), prompts=HOSTILE[::-1])
    keys = {"candidate_id": np.arange(5, dtype=np.int32), "group": np.zeros(5, dtype=np.int32)}
    table = pa.table({**keys, **{name: payload[name] for name in payload.column_names}})
    schema = pa.schema([*CANDIDATE_KEYS, *text_schema(with_prompts=True)])
    return described_file(tmp_path / "stage", table, schema)


def test_texts_are_shown_escaped_and_shortened(texts: dict[str, Any], capsys: Capture) -> None:
    print_file(texts)
    shown = capsys.readouterr().out
    assert all(char == "\n" or char.isprintable() for char in shown)
    assert len(shown) < 20_000
    without_breaks = shown.replace("\n", "").replace(" ", "")
    assert r"\x1b[2J\x07\r\n\u202e[red]" in without_breaks
    assert "(999,600morecharacters)" in without_breaks
    assert "(empty)" in without_breaks
    assert "\ufffd\\x00" in without_breaks
    assert "[bold]plain[/bold]" in without_breaks, "rich does not interpret it"


def test_long_lists_of_tokens_are_shown_by_their_first_few(
    texts: dict[str, Any], capsys: Capture
) -> None:
    print_file(texts)
    shown = " ".join(capsys.readouterr().out.split())
    for ids in ("[0, 1, 2]", "[]", "[0, 1, 2, 3, 4, 5, 6, 7]", "7, … (199,992 more)]"):
        assert ids in shown
    assert "7, … (1 more)]" in shown


def test_json_holds_texts_and_tokens_whole(texts: dict[str, Any], capsys: Capture) -> None:
    print_json("show", texts)
    printed = capsys.readouterr().out
    assert printed.isascii()
    head = json.loads(printed)["data"]["head"]
    assert [row["text"] for row in head] == HOSTILE
    assert [row["prompt"] for row in head] == HOSTILE[::-1]
    assert [len(row["token_ids"]) for row in head] == [len(ids) for ids in IDS]


def test_pixels_are_hexadecimal_digits(tmp_path: Path, capsys: Capture) -> None:
    schema = pa.schema([described("image", pa.binary(3_072), "pixels")])
    table = pa.table({"image": [bytes(3_071) + b"\xff"] * 9}, schema=schema)
    found = described_file(tmp_path / "stage", table, schema)
    print_json("show", found)
    head = json.loads(capsys.readouterr().out)["data"]["head"]
    assert len(head) == HEAD_ROWS
    assert head[0]["image"] == "00" * 3_071 + "ff"
    print_file(found)
    assert "(5,744 more characters)" in " ".join(capsys.readouterr().out.split())


def test_numbers_and_short_words_are_shown_as_they_are(tmp_path: Path, capsys: Capture) -> None:
    table = pa.table(
        {"metric": ["mean_words", "nothing"], "value": [1 / 3, np.nan]}, schema=METRICS
    )
    print_file(described_file(tmp_path / "stage", table, METRICS))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-3:-1]]
    assert rows == [["mean_words", "0.333333"], ["nothing", "-"]]


def test_names_of_columns_steer_nothing(tmp_path: Path, capsys: Capture) -> None:
    schema = pa.schema([described("[red]\x1b", pa.int32(), "[blink]\x07")])
    print_file(
        described_file(tmp_path / "stage", pa.table({"[red]\x1b": [1]}, schema=schema), schema)
    )
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown
    assert r"[red]\x1b" in shown and r"[blink]\x07" in shown


def test_unsafe_prompts_and_what_they_were_answered_are_hidden(
    tmp_path: Path, capsys: Capture
) -> None:
    sources = ["xstest_safe", "xstest_unsafe"]
    file = write_columns(tmp_path / "p.parquet", {"prompt": ["kind", "vile"], "source": sources})
    prompts = UltraFeedback(origin="parquet", **given(file, sources=sources))
    texts = ["mild", "bitter", "sweet"]
    table = text_table(IDS[:3], texts, np.ones(3, dtype=bool), prompts=["kind", "vile", "kind"])
    found = described_file(tmp_path / "stage", table, text_schema(with_prompts=True), hide=prompts)
    assert found["hidden"] == [1]
    assert [[row[name] for name in READ] for row in found["head"]] == [
        ["kind", "mild", IDS[0].tolist()], [None] * 3, ["kind", "sweet", []],
    ]  # fmt: skip
    print_file(found)
    shown = capsys.readouterr().out
    assert shown.count("kind") == 2 and "vile" not in shown and "bitter" not in shown
    assert f"(hidden) {HIDDEN}; --unsafe shows them" in shown
    print_file(described_file(tmp_path / "again", table, text_schema(with_prompts=True)))
    shown = capsys.readouterr().out
    assert "vile" in shown and "bitter" in shown and "hidden" not in shown
