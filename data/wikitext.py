"""WikiText-2 (Merity et al. 2016), word-level: the same articles wherever they were read.

Copies order the articles differently. Here they stand in a canonical order, by their SHA-256,
so that where the data lay enters no result.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from data.configuration import FrozenConfig, setting
from data.errors import ConfigError, EnvironmentProblem
from data.hub_data import HubDataSet, check_path, hub_file
from data.text_rows import read_column
from data.text_split import Split

USER = "data set wikitext-2"
VERSION = "wikitext-2-v1"
ON_HUB = HubDataSet(
    "wikitext-2",
    "Salesforce/wikitext",
    "b08601e04326c79dfdd32d625aee71d232d685c3",
    f"{VERSION}/*",
)

# One `=` on each side, where sections have more; an empty row before and after, where formulas and
# legends cut into rows have text.
TITLE = re.compile(r"= (?!=).*(?<!=) =")


class Promise(NamedTuple):
    """What a part has to hold; tokens are words and one end of line a row."""

    num_rows: int
    num_tokens: int
    num_words: int  # different ones
    num_articles: int


Part = Literal["train", "validation", "test"]
# Rows, tokens and articles: Merity et al. 2016, table 1, and the hub's card. The words of train
# are the published vocabulary of 33,278 without its end of line.
PROMISES: dict[Part, Promise] = {
    "train": Promise(36_718, 2_088_628, 33_277, 600),
    "validation": Promise(3_760, 217_646, 13_776, 60),
    "test": Promise(4_358, 245_569, 14_142, 60),
}


class WikiText2(FrozenConfig):
    """Wikipedia articles split into words, rare ones as `<unk>`; held out is its test part."""

    kind: Literal["wikitext-2"] = setting("wikitext-2", "corpus", "S")
    origin: Literal["hub", "parquet"] = setting(
        "hub",
        "where it is read: hub (Hugging Face), parquet (a folder with train.parquet and "
        "test.parquet)",
        "O",
        location=True,
    )
    path: str | None = setting(
        None, "folder of the origin; for hub its cache, the usual one when not given", "O",
        location=True,
    )  # fmt: skip

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        check_path(self.origin, self.path, name="WikiText-2")
        return self


def read_wikitext(
    config: WikiText2, split: Split, *, promises: Mapping[Part, Promise] = PROMISES
) -> tuple[str, ...]:
    """Articles of train, or of test as held out; as `read_part`."""
    return read_part(config, "train" if split == "train" else "test", promises=promises)


def read_part(
    config: WikiText2, part: Part, *, promises: Mapping[Part, Promise] = PROMISES
) -> tuple[str, ...]:
    """Articles of one part in canonical order.

    A line a row, without white space around it and without empty ones.
    Raises `EnvironmentProblem` for data that is absent or unreadable, `ConfigError` for another
    data set than WikiText-2.
    """
    path = _find(config, part)
    rows = read_column(path, "text", user=USER, may_be_empty=True)
    found = joined(rows, path)
    _check(rows, found, promises[part], path)
    return tuple(sorted(found, key=lambda article: hashlib.sha256(article.encode()).digest()))


def joined(rows: Sequence[str], path: Path) -> list[str]:
    """Articles, each from one title line to the next; `path` is for messages.

    Raises `ConfigError` for text before the first title.
    """
    lines = ["", *(row.strip() for row in rows), ""]
    articles: list[list[str]] = []
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        if not line:
            continue
        if not before and not after and TITLE.fullmatch(line):
            articles.append([])
        elif not articles:
            raise ConfigError(
                f"{USER}: expected {path} to begin with a title ' = Title = ', got {line[:60]!r}; "
                "that is another data set, or a part of this one"
            )
        articles[-1].append(line)
    return ["\n".join(article) for article in articles]


def _check(rows: Sequence[str], articles: Sequence[str], promise: Promise, path: Path) -> None:
    words = list(_words(articles))
    found = Promise(len(rows), len(words) + len(rows), len(set(words)), len(articles))
    if found == promise:
        return
    # The raw version has the same rows and tokens, and no unknown word.
    raw = "; it looks like wikitext-2-raw-v1" if "<unk>" not in words else ""
    raise ConfigError(
        f"{USER}: expected {_described(promise)} in {path}, got {_described(found)}{raw}; give the "
        f"word-level version {VERSION} in full, or fetch it with `{ON_HUB.fetch}`"
    )


def _words(articles: Sequence[str]) -> Iterator[str]:
    for article in articles:
        yield from article.split()


def _described(promise: Promise) -> str:
    return (
        f"{promise.num_rows:,} rows, {promise.num_tokens:,} tokens, {promise.num_words:,} "
        f"different words and {promise.num_articles:,} articles"
    )


def _find(config: WikiText2, part: Part) -> Path:
    hub_name = f"{part}-00000-of-00001.parquet"
    if config.origin == "hub":
        return hub_file(
            ON_HUB,
            f"{VERSION}/{hub_name}",
            cache=config.path,
            instead="give a copy with origin parquet and its path, or use the corpus python-docs, "
            "which needs no download",
        )
    assert config.path is not None, "the configuration asks for it"
    names = (f"{part}.parquet", hub_name)
    for name in names:
        if (Path(config.path) / name).is_file():
            return Path(config.path) / name
    raise EnvironmentProblem(
        f"{USER}: expected {' or '.join(names)} in {config.path}, found neither; set path to the "
        f"folder that holds them, or fetch it with `{ON_HUB.fetch}` and set origin to hub"
    )
