"""Samples of text for people: hostile content stays text."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from data.texts import text_table
from data.ultrafeedback import UltraFeedback
from tasks.text_samples import (
    HIDDEN,
    MOST_CHARACTERS,
    TextSample,
    escape_controls,
    first_samples,
    html_text,
    samples_in_html,
    samples_in_terminal,
    terminal_text,
)
from tests.data.text_sources import given, write_columns

HOSTILE = [
    "\x1b[2J\x1b]0;title\x07\x9b31m",  # ANSI, the title of the window, an 8-bit introducer
    "safe\u202egnp.exe\u2066\u200b",  # marks of direction, an invisible space
    "line\r\nbreak\n\n# heading\n\n[link](javascript:x)\x0b\u2028end",
    "</pre></div><script>alert(1)</script><img src=x onerror=alert(1)> &amp; ' \"",
    "```\n| a | b |\n|---|---|\n\n    code",
    "\ud800 lone \udfff",
    "\ufffd\ufffd",
    "\x00",
    "",
]
ALLOWED = {"div", "details", "summary", "p", "em", "ol", "li", "pre"}


class Page(HTMLParser):
    """The tags of a page, and the text in each <pre>."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.depth, self.inside = 0, False
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"dir", "style", "open"}
        self.depth += 1
        if tag == "pre":
            self.inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data


def samples(texts: list[str]) -> dict[int, list[TextSample]]:
    return {k: [TextSample(text, finished=True, prompt=text) for text in texts] for k in (0, 5)}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_gets_one_line_of_printable_characters(text: str) -> None:
    shown = terminal_text(text)
    assert shown.isprintable()
    assert shown
    shown.encode("utf-8")


def test_escapes_are_pythons_and_printable_text_stays() -> None:
    assert terminal_text("\x1b[31m\tnaïve 漢字 \ufffd\u202e\n") == (
        r"\x1b[31m\tnaïve 漢字 " + "\ufffd" + r"\u202e\n"
    )
    assert escape_controls("a\nb\r", keep="\n") == "a\nb\\r"


def test_a_page_has_no_markup_but_ours_and_shows_the_texts() -> None:
    page = Page(samples_in_html(samples(HOSTILE)))
    assert page.tags == ALLOWED
    assert page.depth == 0
    # Prompt and text, both k; the parser keeps the newline that browsers drop.
    expected = ["\n" + escape_controls(text, keep="\n") for text in HOSTILE if text]
    assert page.texts == [text for one in expected for text in (one, one)] * 2


def test_on_a_markdown_page_samples_stay_one_block_of_html() -> None:
    page = f"before\n\n{samples_in_html(samples(HOSTILE))}\n\n*after*\n"
    kinds = [token.type for token in MarkdownIt("commonmark").parse(page)]
    paragraph = ["paragraph_open", "inline", "paragraph_close"]
    assert kinds == [*paragraph, "html_block", *paragraph]


def test_what_is_shown_can_be_written_and_ends_no_line() -> None:
    page = samples_in_html(samples(HOSTILE))
    page.encode("utf-8")
    assert len(page.splitlines()) == 1
    assert len(samples_in_terminal(samples(HOSTILE)).splitlines()) == 2 * (1 + 2 * len(HOSTILE))


@pytest.mark.parametrize("show", [terminal_text, html_text])
def test_a_huge_line_is_shortened_with_a_count_of_what_was_left_out(
    show: Callable[[str], str],
) -> None:
    shown = show("<" * 1_000_000)
    assert f"({1_000_000 - MOST_CHARACTERS:,} more characters)" in shown
    assert len(shown) < 5 * MOST_CHARACTERS
    assert "more characters" not in show("<" * MOST_CHARACTERS)


def test_a_text_may_be_longer_once_escaped_but_only_by_what_it_has() -> None:
    assert terminal_text("\x00" * 5, most=3) == r"\x00\x00\x00 … (2 more characters)"


def test_an_empty_text_is_shown_as_such() -> None:
    assert terminal_text("") == "(empty)"
    assert "(empty)" in html_text("")
    assert terminal_text(" ") == " "


def test_the_terminal_shows_models_prompts_and_texts_that_were_cut_off() -> None:
    shown = samples_in_terminal(
        {
            0: [TextSample("one", finished=True), TextSample("", finished=False)],
            12: [TextSample("two", finished=True, prompt="why?")],
        }
    )
    assert shown.splitlines() == [
        "k = 0",
        "   1. one",
        "   2. (empty) (cut off by its length)",
        "k = 12",
        "   1. prompt: why?",
        "      two",
    ]


def test_the_page_names_models_and_says_which_texts_were_cut_off() -> None:
    page = samples_in_html({3: [TextSample("one", finished=False), TextSample("two", True)]})
    assert page.count("(cut off by its length)") == 1
    assert "k = 3" in page
    assert re.search(r"one.*cut off.*two", page)
    assert "prompt" not in page


def test_the_first_rows_of_a_table_are_its_samples() -> None:
    ids, ended = [np.arange(2, dtype=np.int32)] * 3, np.array([True, False, True])
    table = text_table(ids, ["a", "b", "c"], ended, prompts=["x", "y", "z"])
    assert first_samples(table, 2) == [TextSample("a", True, "x"), TextSample("b", False, "y")]
    assert first_samples(text_table(ids, ["a", "b", "c"], ended), 9)[2] == TextSample("c", True)


def test_models_between_the_first_and_the_last_are_folded() -> None:
    page = samples_in_html({k: [TextSample("one", True)] for k in range(4)})
    folds = re.findall(r"<details( open)?><summary>(k = \d)</summary>", page)
    assert folds == [(" open", "k = 0"), ("", "k = 1"), ("", "k = 2"), (" open", "k = 3")]


def test_unsafe_prompts_and_their_answers_are_folded_on_a_page_and_not_on_a_terminal() -> None:
    texts = {0: [TextSample("yes", True, "how?", unsafe=True), TextSample("no", True, "why?")]}
    page = samples_in_html(texts)
    assert Page(page).tags == ALLOWED - {"em"}
    fold = re.search(rf"<details><summary>{HIDDEN}</summary>(.*?)</details>", page)
    assert fold is not None
    assert "how?" in fold[1] and "yes" in fold[1]
    assert "why?" in page.replace(fold[0], "") and "how?" not in page.replace(fold[0], "")
    assert samples_in_terminal(texts).splitlines() == [
        "k = 0", f"   1. ({HIDDEN})", "   2. prompt: why?", "      no",
    ]  # fmt: skip


def test_prompts_of_an_unsafe_source_are_marked_as_the_file_says(tmp_path: Path) -> None:
    sources = ["xstest_safe", "xstest_unsafe"]
    file = write_columns(tmp_path / "p.parquet", {"prompt": ["x", "y"], "source": sources})
    prompts = UltraFeedback(origin="parquet", **given(file, sources=sources))
    ids, ended = [np.arange(2, dtype=np.int32)] * 2, np.ones(2, dtype=bool)
    table = text_table(ids, ["a", "b"], ended, prompts=["x", "y"])
    assert [one.unsafe for one in first_samples(table, 2, prompts)] == [False, True]
    assert [one.unsafe for one in first_samples(table, 2)] == [False, False]
    without = text_table(ids, ["a", "b"], ended)
    assert [one.unsafe for one in first_samples(without, 2, prompts)] == [False, False]
