"""Generated texts of any content go through a stage, and through every command that shows it."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.store import Store
from data.texts import text_table, token_ids_of
from generators.causal_lm import CausalLm
from tasks.context import RunContext
from tasks.places import Place
from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]
TEXTS = [
    "\x1b[2J\x1b]0;title\x07\x9b31m",  # steers a terminal, names its window
    "safe\u202egnp.exe\u2066\u200b",  # marks of direction, an invisible space
    "x" * 1_000_000,
    "",
    "line\r\nbreak\n\n[bold]|</pre>\x00\u2028",
]
UNDECODABLE = [b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f"]  # no UTF-8, a surrogate, a cut one


def ids_of(model: CausalLm, texts: list[bytes]) -> list[Any]:
    """Token ids of texts, a token a byte."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    vocabulary = model.tokenizer.fast.get_vocab()
    characters: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]
    tokens = {byte: vocabulary[char] for byte, char in characters.items()}
    return [np.array([tokens[byte] for byte in text], np.int32) for text in texts]


@pytest.mark.slow  # metrics of a text of a million characters, after the run of the fixture
def test_texts_of_any_content_are_kept_and_shown(
    cli: Cli,
    capsys: Capture,
    gpt2_run: RunContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Path(shutil.copytree(gpt2_run.store.root, tmp_path / "store"))
    shutil.rmtree(store / "runs/gpt2/iteration-0001/evaluate")
    written: list[Any] = []

    def sample(self: CausalLm, num_samples: int, **_: object) -> pa.Table:
        content = [*(text.encode() for text in TEXTS), *UNDECODABLE]
        ids = ids_of(self, (content * num_samples)[:num_samples])
        written.extend(ids)
        return text_table(ids, self.tokenizer.decode(ids), np.zeros(num_samples, np.bool_))

    monkeypatch.setattr(CausalLm, "sample", sample)
    assert cli("resume", "gpt2", "--no-prefect") == 0
    kept = RunContext(Store(store), Store(store).read_run("gpt2")).open_place(Place(1, "evaluate"))
    samples = kept.table("samples.parquet")
    assert len(written) == samples.num_rows
    for ours, theirs in zip(written, token_ids_of(samples), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert samples["text"].to_pylist()[: len(TEXTS)] == TEXTS
    assert samples["text"].to_pylist()[len(TEXTS)] == "\ufffd\ufffd"
    shown = (store / "runs/gpt2/figures/samples.txt").read_text()
    assert all(char == "\n" or char.isprintable() for char in shown) and len(shown) < 20_000

    capsys.readouterr()
    for command in (("show", "gpt2"), ("show", "gpt2", "1"), ("show", "gpt2", "1", "evaluate")):
        assert cli(*command) == 0
        shown = capsys.readouterr().out
        assert all(char == "\n" or char.isprintable() for char in shown)
        assert len(shown) < 50_000
    assert r"\x1b[2J" in shown and r"\u202e" in shown and "(empty)" in shown
    assert "more characters" in " ".join(shown.split()) and "more)]" in shown
    assert cli("show", "gpt2", "1", "evaluate", "--json") == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    files = {file["path"]: file for file in json.loads(printed)["data"]["files"]}
    assert [row["text"] for row in files["samples.parquet"]["head"]] == TEXTS
    assert cli("verify", "gpt2") == 0
