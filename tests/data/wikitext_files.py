"""Small files in the layout of WikiText-2."""

from collections.abc import Sequence
from pathlib import Path

from data.wikitext import ON_HUB, VERSION, Part, Promise
from tests.data.text_sources import write_columns

ARTICLES = [
    ["", " = First = \n", "", " The <unk> one . \n", " = = A section = = \n", "", " Its end . \n"],
    ["", " = Second = \n", "", " Two = 2 . \n", ""],
]
TEXTS = {"= First =\nThe <unk> one .\n= = A section = =\nIts end .", "= Second =\nTwo = 2 ."}
PROMISE = Promise(num_rows=12, num_tokens=35, num_words=13, num_articles=2)
PROMISES: dict[Part, Promise] = {"train": PROMISE, "validation": PROMISE, "test": PROMISE}


def write_rows(path: Path, articles: Sequence[Sequence[str]] = ARTICLES) -> Path:
    """A Parquet file with a line a row."""
    return write_columns(path, {"text": [row for article in articles for row in article]})


def hub_path(cache: Path, part: str) -> Path:
    """Where the hub's client keeps a part of the pinned commit."""
    snapshot = cache / f"datasets--{ON_HUB.repo.replace('/', '--')}" / "snapshots" / ON_HUB.revision
    return snapshot / VERSION / f"{part}-00000-of-00001.parquet"
