"""Samples of text for people: nothing in a text executes, steers a terminal or fills a page.

What is shown is for reading; the token ids in the artifact are what a text is.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data.prompts import AnyPrompts, is_unsafe_prompt
from data.texts import FINISHED, PROMPT, TEXT

MOST_CHARACTERS = 400
EMPTY, CUT_OFF = "(empty)", "(cut off by its length)"
HIDDEN = "hidden: a prompt from a source marked unsafe, and its answer"


@dataclass(frozen=True)
class TextSample:
    """A generated text, whether it ended by itself, and what it answers if anything.

    With `unsafe` it answers a prompt that is hidden until asked for.
    """

    text: str
    finished: bool
    prompt: str | None = None
    unsafe: bool = False


def first_samples(
    table: pa.Table,  # rows of `data.texts.text_schema`, perhaps with other columns
    number: int,
    prompts: AnyPrompts | None = None,
) -> list[TextSample]:
    """The first `number` rows, or all where there are fewer; `prompts` say which are unsafe."""
    return [
        TextSample(row[TEXT], row[FINISHED], row.get(PROMPT), unsafe=answers_unsafe(row, prompts))
        for row in table.slice(0, number).to_pylist()
    ]


def answers_unsafe(row: Mapping[str, Any], prompts: AnyPrompts | None) -> bool:
    """Whether a row answers a prompt that is hidden until asked for."""
    return prompts is not None and PROMPT in row and is_unsafe_prompt(prompts, row[PROMPT])


def escape_controls(text: str, *, keep: str = "") -> str:
    """`text` with every character that is not printable, but those of `keep`, as an escape.

    Among them are control characters, which steer terminals, marks of direction, which reorder
    what stands around them, invisible characters, spaces other than the usual one and lone
    surrogates. Escapes are Python's; a backslash stays one backslash.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in keep
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def shorten(text: str, most: int) -> tuple[str, int]:
    """The first `most` characters, and how many were left out."""
    return text[:most], max(0, len(text) - most)


def terminal_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """`text` on one line: escaped, its newlines too, with a count of what was left out."""
    head, left_out = shorten(text, most)
    return (escape_controls(head) or EMPTY) + _left_out(left_out)


def html_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """`text` as a block of HTML without a newline, in which its own markup is text.

    Newlines of the text are character references: Markdown, which ends raw HTML at an empty
    line, cannot see them, so the block keeps its shape on a Markdown page too.
    """
    head, left_out = shorten(text, most)
    if not head:
        return f"<p><em>{EMPTY}</em></p>"
    shown = html.escape(escape_controls(head, keep="\n")).replace("\n", "&#10;")
    rest = f"<em>{_left_out(left_out)}</em>" if left_out else ""
    # A browser drops the first newline of <pre>: this one, and not one of the text.
    # A text may be one long word.
    style = "white-space: pre-wrap; overflow-wrap: anywhere"
    return f'<pre dir="auto" style="{style}">&#10;{shown}{rest}</pre>'


def samples_in_html(
    samples: Mapping[int, Sequence[TextSample]],  # k -> texts of p_k
) -> str:
    """Texts of each model under "k = ...", as one line of HTML for a page of HTML or Markdown.

    All models but the first and the last are folded, and within them unsafe prompts with answers.
    """
    parts, ends = [], {min(samples, default=0), max(samples, default=0)}
    for k, texts in samples.items():
        items = "".join(f"<li>{_item(sample)}</li>" for sample in texts)
        opened = " open" if k in ends else ""
        parts.append(f"<details{opened}><summary>k = {k}</summary><ol>{items}</ol></details>")
    return f"<div>{''.join(parts)}</div>"


def samples_in_terminal(
    samples: Mapping[int, Sequence[TextSample]],  # k -> texts of p_k
) -> str:
    """Texts of each model under "k = ...", a line each, behind that of its prompt.

    Of unsafe prompts there is neither the prompt nor its answer.
    """
    lines = []
    for k, texts in samples.items():
        lines.append(f"k = {k}")
        for number, sample in enumerate(texts, start=1):
            if sample.unsafe:
                lines.append(f"{number:>4}. ({HIDDEN})")
                continue
            if sample.prompt is not None:
                lines.append(f"{number:>4}. prompt: {terminal_text(sample.prompt)}")
            lead = f"{number:>4}. " if sample.prompt is None else " " * 6
            ending = "" if sample.finished else f" {CUT_OFF}"
            lines.append(f"{lead}{terminal_text(sample.text)}{ending}")
    return "\n".join(lines)


def _item(sample: TextSample) -> str:
    prompt = "" if sample.prompt is None else f"<p>prompt</p>{html_text(sample.prompt)}"
    ending = "" if sample.finished else f"<p><em>{CUT_OFF}</em></p>"
    shown = f"{prompt}{html_text(sample.text)}{ending}"
    return f"<details><summary>{HIDDEN}</summary>{shown}</details>" if sample.unsafe else shown


def _left_out(number: int) -> str:
    return f" … ({number:,} more characters)" if number else ""
