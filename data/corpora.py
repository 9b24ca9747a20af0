"""Texts to train a first model on, by configuration."""

from functools import lru_cache
from typing import Annotated

from pydantic import Field

from data import python_docs
from data.errors import ConfigError
from data.python_docs import PythonDocs
from data.text_files import TextFiles, read_documents
from data.text_split import Split, part_of, texts_digest
from data.wikitext import WikiText2, read_wikitext

CorpusConfig = Annotated[PythonDocs | WikiText2 | TextFiles, Field(discriminator="kind")]


@lru_cache(maxsize=4)
def load_corpus(config: PythonDocs | WikiText2 | TextFiles, split: Split) -> tuple[str, ...]:
    """Documents of one split, kept by the process; at least one, none of them empty.

    WikiText-2 has a held-out part of its own, elsewhere the SHA-256 of a document decides.
    Raises as the reader of the corpus does, and `ConfigError` for a split without documents.
    """
    if isinstance(config, WikiText2):
        return read_wikitext(config, split)
    everything = (
        python_docs.documents(python_docs.python_topics())
        if isinstance(config, PythonDocs)
        else read_documents(config)
    )
    part = part_of(everything, split)
    if not part:
        raise ConfigError(
            f"corpus {config.kind}: expected documents in split {split!r}, got none of "
            f"{len(everything)}; about one in ten is held out, by its SHA-256: give more documents"
        )
    return part


def corpus_digest(config: PythonDocs | WikiText2 | TextFiles, split: Split = "train") -> str:
    """SHA-256 (hex) of the text that `load_corpus` gives, which decides results.

    The configuration alone does not tell it: python-docs differs between releases of Python.
    """
    return texts_digest(load_corpus(config, split))
