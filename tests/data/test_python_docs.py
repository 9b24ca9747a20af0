"""Prose out of Python's documentation."""

import sys

import pytest

from data import python_docs
from data.errors import EnvironmentProblem
from data.python_docs import documents, paragraph, python_topics, sections, sentences

TOPIC = """The "if" statement
******************

The "if" statement is used for *conditional* execution, that is for
single-
branch and many-branch code:

   if_stmt ::= "if" assignment_expression ":" suite
               ["else" ":" suite]

It selects exactly one of the suites.  See **PEP 20** for more.

   >>> if 1: print("Nothing of this is prose at all.")

* A list has items of more than one
  line, which are paragraphs too.

object.__bool__(self)

   Called to implement truth value testing; should return "False" or "True".

**PEP 3132** - Extended Iterable Unpacking of things
   The specification for the "*target" feature.


Something else
==============

See also:

Nothing here is left out, e.g. The end, which is a sentence.
"""


def test_paragraphs_are_found_by_their_sections() -> None:
    first, second, third = sections(TOPIC)
    assert first == []
    assert second == [
        'The "if" statement is used for conditional execution, that is for single-branch and '
        "many-branch code:",
        "It selects exactly one of the suites. See PEP 20 for more.",
        "A list has items of more than one line, which are paragraphs too.",
        'Called to implement truth value testing; should return "False" or "True".',
    ]
    assert third == ["Nothing here is left out, e.g. The end, which is a sentence."]


@pytest.mark.parametrize(
    "block",
    [
        'assert_stmt ::= "assert" expression ["," expression]',
        "Name ::= something or other that ends like a sentence does.",
        "   with open(name) as file:\n       file.read()",
        "   Class.method(argument, another=1, third=2, fourth=3).",
        "+-----+-----+\n| one | two |\n+-----+-----+",
        "Added in version 3.12.",
        "See also:",
        "is semantically equivalent to the following statement:",
        "A line without an end to it at all",
    ],
)
def test_what_is_no_prose_is_left_out(block: str) -> None:
    assert paragraph(block) is None


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("A *very* **bold** word in it.", "A very bold word in it."),
        ('Use "*args" and "**kwargs" as names.', 'Use "*args" and "**kwargs" as names.'),
        ("Terms a * b and *c* are products.", "Terms a * b and c are products."),
        ("**Note:** This begins with a label.", "Note: This begins with a label."),
        ("1. First of all there are numbers.", "First of all there are numbers."),
        ("A minus - and a dash -\nstay as words.", "A minus - and a dash - stay as words."),
    ],
)
def test_marks_go_and_words_stay(block: str, text: str) -> None:
    assert paragraph(block) == text


def test_a_document_has_enough_words_and_no_paragraph_comes_twice() -> None:
    many = [f"This is paragraph number {number} of ten in all." for number in range(30)]
    topic = "Title\n*****\n\n" + "\n\n".join(many)
    found = documents({"b": topic, "a": topic, "c": "Alone\n=====\n\nIt is only one short one."})
    assert "\n".join(found).split("\n") == [*many, "It is only one short one."]
    assert [len(text.split()) for text in found] == [72, 72, 126, 6]


def test_sentences_are_the_first_of_paragraphs() -> None:
    assert sentences({"a": TOPIC, "b": TOPIC}, min_words=7, max_words=12) == (
        "It selects exactly one of the suites.",
        'Called to implement truth value testing; should return "False" or "True".',
        "Nothing here is left out, e.g. The end, which is a sentence.",
    )


def test_this_pythons_documentation_is_enough_text() -> None:
    found = documents(python_topics())
    words = [word for text in found for word in text.split()]
    assert len(words) > 30_000 and len(found) > 300
    assert sum(len(text.split()) >= 64 for text in found) > 0.6 * len(found)
    joined = "\n".join(found)
    assert "::=" not in joined and ">>>" not in joined and "****" not in joined
    paragraphs = joined.split("\n")
    assert len(set(paragraphs)) == len(paragraphs)
    assert found == documents(python_topics())


def test_a_python_without_its_documentation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(EnvironmentProblem, match=r"python-docs: expected module 'pydoc_data'.*fu"):
        python_docs.python_topics()
