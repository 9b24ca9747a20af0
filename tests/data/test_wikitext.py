"""What counts as WikiText-2: small stand-ins that promise less, and the real one."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from data.configuration import describe_errors
from data.errors import ConfigError, EnvironmentProblem
from data.text_split import texts_digest
from data.wikitext import PROMISES as REAL
from data.wikitext import WikiText2, joined, read_part, read_wikitext
from tests.data.text_sources import write_columns
from tests.data.wikitext_files import ARTICLES, PROMISES, TEXTS, hub_path, write_rows


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def small(folder: Path) -> tuple[str, ...]:
    config = WikiText2(origin="parquet", path=str(folder))
    return read_wikitext(config, "train", promises=PROMISES)


@pytest.mark.parametrize("name", ["train.parquet", "train-00000-of-00001.parquet"])
def test_lines_become_articles(tmp_path: Path, name: str) -> None:
    write_rows(tmp_path / name)
    assert set(small(tmp_path)) == TEXTS


def test_the_order_of_the_articles_changes_nothing(tmp_path: Path) -> None:
    write_rows(tmp_path / "a" / "train.parquet")
    write_rows(tmp_path / "b" / "train.parquet", ARTICLES[::-1])
    assert small(tmp_path / "a") == small(tmp_path / "b")


def test_the_hub_is_read_from_its_cache_and_held_out_is_the_test_part(tmp_path: Path) -> None:
    write_rows(hub_path(tmp_path, "test"))
    config = WikiText2(path=str(tmp_path))
    assert set(read_wikitext(config, "held-out", promises=PROMISES)) == TEXTS
    with pytest.raises(EnvironmentProblem, match=r"wikitext-2: expected wikitext-2-v1/train-00000"):
        read_wikitext(config, "train", promises=PROMISES)


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=rf"train.parquet or .* in {tmp_path}, found neit"):
        small(tmp_path)


def test_another_number_of_rows_words_or_articles_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.parquet", ARTICLES[:1])
    expected = "expected 12 rows, 35 tokens, 13 different words and 2 articles in .*got 7 rows"
    with pytest.raises(ConfigError, match=f"{expected}.*give the word-level version wikitext-2-v1"):
        small(tmp_path)


def test_the_raw_version_is_recognised(tmp_path: Path) -> None:
    raw = [[row.replace("<unk>", "one") for row in article] for article in ARTICLES]
    write_rows(tmp_path / "train.parquet", raw)
    with pytest.raises(ConfigError, match="it looks like wikitext-2-raw-v1; give the word-level"):
        small(tmp_path)


def test_text_before_the_first_title_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "train.parquet", [ARTICLES[0][3:], ARTICLES[1]])
    with pytest.raises(ConfigError, match="to begin with a title ' = Title = ', got 'The <unk> on"):
        small(tmp_path)
    assert joined(["", " \n"], tmp_path) == []


def test_a_formula_cut_into_rows_is_no_title() -> None:
    rows = [" = Key = \n", "", " Pld \n", " = Played = \n", " W \n", "", " = = Wins = = \n", ""]
    assert joined(rows, Path("rows")) == ["= Key =\nPld\n= Played =\nW\n= = Wins = ="]


def test_another_column_is_refused(tmp_path: Path) -> None:
    write_columns(tmp_path / "train.parquet", {"page": ["a"]})
    with pytest.raises(ConfigError, match="expected a column text: string"):
        small(tmp_path)


def test_where_the_data_lies_is_in_no_fingerprint() -> None:
    placed = WikiText2(origin="parquet", path="somewhere")
    assert placed.fingerprint_part() == {"kind": "wikitext-2"}
    with pytest.raises(ValidationError) as caught:
        WikiText2(origin="parquet")
    assert "path: expected the folder of WikiText-2 for origin" in describe_errors(caught.value)


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "wikitext2"


def test_the_real_data_holds_what_was_published(folder: Path) -> None:
    config = WikiText2(origin="parquet", path=str(folder))
    train, held_out = read_wikitext(config, "train"), read_wikitext(config, "held-out")
    assert (len(train), len(held_out)) == (600, 60)
    assert len(read_part(config, "validation")) == 60
    assert any(text.startswith("= Valkyria Chronicles III =\nSenjō no") for text in train)
    assert all(len(text.split()) > 64 for text in (*train, *held_out))
    assert texts_digest(train).startswith("d8e1f610a6ff7f0d")
    assert texts_digest(held_out).startswith("df451d39fac2dcd6")


def test_the_real_parts_in_another_place_are_refused(folder: Path, tmp_path: Path) -> None:
    rows = pq.read_table(folder / "test_raw.parquet")
    pq.write_table(rows, tmp_path / "test.parquet")
    config = WikiText2(origin="parquet", path=str(tmp_path))
    with pytest.raises(ConfigError, match=r"got 4,358 rows, 245,569 tokens.*wikitext-2-raw-v1"):
        read_wikitext(config, "held-out")
    (tmp_path / "train.parquet").symlink_to(folder / "validation.parquet")
    with pytest.raises(ConfigError, match=f"got {REAL['validation'].num_rows:,} rows"):
        read_wikitext(config, "train")
