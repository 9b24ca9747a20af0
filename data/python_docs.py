"""Prose that comes with Python itself: its documentation's topics, as `help()` shows them.

Every release of Python has other topics. `data.corpora.corpus_digest` says which text was read.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from data.configuration import FrozenConfig, setting
from data.errors import EnvironmentProblem

# A document has so many words where its section has, so that texts cut to 64 words are common.
DOCUMENT_WORDS = 64
# Shorter blocks are labels ("See also:", "Added in version 3.12.") and rows of tables.
PARAGRAPH_WORDS = 5
LETTERS_SHARE = 0.7

HEADING = re.compile(r"[^\n]+\n([*=~^+#-])\1+")
BULLET = re.compile(r"( *)(?:[*•-]|\d+\.|[a-z]\.) +")
EMPHASIS = re.compile(r"""(?<![\w*"])(\*\*?)(?=\S)([^*]+)(?<=\S)\1(?![\w*])""")
BROKEN_WORD = re.compile(r"(?<=[^\W_]-)\n *(?=[^\W_])")
PROSE = re.compile(r"""["(]?[A-Z].*[.:?!]["')”’]*""")
SENTENCE = re.compile(
    r"""((?!\(|Changed in |Deprecated ).+?(?<!\be\.g)(?<!\bi\.e)[.?!]["')”’]*)(?: [A-Z"(]|$)"""
)


class PythonDocs(FrozenConfig):
    """Paragraphs of the Python documentation, without its grammar, code and tables."""

    kind: Literal["python-docs"] = setting("python-docs", "corpus", "O")


def python_topics() -> Mapping[str, str]:
    """Text of every topic of this Python; raises `EnvironmentProblem` where it comes without."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise EnvironmentProblem(
            f"corpus python-docs: expected module 'pydoc_data', got: {error}; some distributions "
            "ship Python without its documentation: install their full Python, or use another "
            "corpus"
        ) from error
    return topics


def documents(topics: Mapping[str, str]) -> tuple[str, ...]:
    """Runs of paragraphs of one section, a line each, in the order of the topics' names."""
    return tuple("\n".join(run) for section in new_paragraphs(topics) for run in runs_of(section))


def sentences(topics: Mapping[str, str], *, min_words: int, max_words: int) -> tuple[str, ...]:
    """First sentences of the paragraphs, those that have `min_words` .. `max_words` words."""
    firsts = (
        found[1]
        for paragraph in itertools.chain.from_iterable(new_paragraphs(topics))
        if (found := SENTENCE.match(paragraph))
    )
    fitting = (text for text in firsts if min_words <= len(text.split()) <= max_words)
    return tuple(dict.fromkeys(fitting))


def new_paragraphs(topics: Mapping[str, str]) -> Iterator[list[str]]:
    """Paragraphs of each section, without those that an earlier section had.

    Topics repeat each other: "compound" holds "if", "while" and more.
    """
    seen: set[str] = set()
    for name in sorted(topics):
        for section in sections(topics[name]):
            new = [text for text in dict.fromkeys(section) if text not in seen]
            seen.update(new)
            yield new


def sections(topic: str) -> Iterator[list[str]]:
    """Paragraphs of a topic, from heading to heading."""
    section: list[str] = []
    for block in re.split(r"\n(?: *\n)+", topic.strip("\n")):
        if HEADING.fullmatch(block):
            yield section
            section = []
        elif (text := paragraph(block)) is not None:
            section.append(text)
    yield section


def paragraph(block: str) -> str | None:
    """A block of lines as one line of prose, without marks of lists and emphasis.

    None for grammar, code, tables, signatures and lists of definitions: what is not evenly
    indented, is hardly letters, or does not begin and end as sentences do.
    """
    bullet = BULLET.match(block)
    first = len(bullet[0]) if bullet else len(block) - len(block.lstrip(" "))
    head, *rest = block.split("\n")
    if any(len(line) - len(line.lstrip(" ")) != first for line in rest) or "::=" in block:
        return None
    unbroken = BROKEN_WORD.sub("", "\n".join([head[first:], *rest]))
    text = EMPHASIS.sub(r"\2", " ".join(unbroken.split()))
    num_letters = sum(sign.isalpha() or sign == " " for sign in text)
    is_prose = (
        PROSE.fullmatch(text)
        and len(text.split()) >= PARAGRAPH_WORDS
        and num_letters >= LETTERS_SHARE * len(text)
    )
    return text if is_prose else None


def runs_of(section: Sequence[str]) -> list[list[str]]:
    """Paragraphs put together until they have `DOCUMENT_WORDS`; what is left joins the last."""
    runs: list[list[str]] = []
    for text in section:
        if not runs or _num_words(runs[-1]) >= DOCUMENT_WORDS:
            runs.append([])
        runs[-1].append(text)
    if len(runs) > 1 and _num_words(runs[-1]) < DOCUMENT_WORDS:
        rest = runs.pop()
        runs[-1] += rest
    return runs


def _num_words(paragraphs: Sequence[str]) -> int:
    return sum(len(text.split()) for text in paragraphs)
