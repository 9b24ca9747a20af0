"""Lines and tables on streams that cannot encode everything."""

import io
import sys

import pytest

from pluralist.output import print_line, print_note, print_table


def test_characters_that_the_terminal_lacks_are_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding="latin-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    print_line("naïve \ufffd")
    print_note("漢")
    print_table(("é", "ж"), [("ü", "… \x1b")])
    lines = written.getvalue().decode("latin-1").splitlines()
    assert lines[:2] == [r"naïve \ufffd", r"\u6f22"]
    assert [line.split() for line in lines[2:]] == [["é", r"\u0436"], ["ü", r"\u2026", r"\x1b"]]


def test_newlines_stay_and_other_controls_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("a\nb\r\x1b[0m\u202e")
    assert capsys.readouterr().out == "a\nb\\r\\x1b[0m\\u202e\n"
