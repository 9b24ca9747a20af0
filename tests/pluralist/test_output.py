"""Lines and tables on streams that cannot encode everything."""

import io
import sys

import pytest

from pluralist.output import print_line, print_note, print_table


@pytest.fixture
def latin(monkeypatch: pytest.MonkeyPatch) -> io.TextIOWrapper:
    """stdout and stderr of a terminal that knows 256 characters."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_characters_that_the_terminal_lacks_are_escapes(latin: io.TextIOWrapper) -> None:
    print_line("naïve \ufffd")
    print_note("漢")
    print_table(("é", "ж"), [("ü", "… \x1b")])
    written = latin.buffer
    assert isinstance(written, io.BytesIO)
    shown = written.getvalue().decode("latin-1")
    assert shown.splitlines()[:2] == [r"naïve \ufffd", r"\u6f22"]
    assert [line.split() for line in shown.splitlines()[2:]] == [
        ["é", r"\u0436"],
        ["ü", r"\u2026", r"\x1b"],
    ]


def test_newlines_stay_and_other_controls_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("a\nb\r\x1b[0m\u202e")
    assert capsys.readouterr().out == "a\nb\\r\\x1b[0m\\u202e\n"
