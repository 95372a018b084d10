"""Faults that point into the text of a policy."""

from __future__ import annotations

import pytest

from authz_service.errors import Place
from authz_service.polar.syntax import Span
from authz_service.polar.text import Source, make_fault

LONG = "a" * 300 + "WRONG" + "b" * 300


def excerpt(text: str, span: Span) -> list[str]:
    """Show what a fault shows, line by line."""
    return make_fault(Source("a.polar", text), span, "code", "message").excerpt.split("\n")


def span(line: int, column: int, end_column: int, end_line: int = 0) -> Span:
    """Build a span on one line unless an end is given."""
    return Span("a.polar", line, column, end_line or line, end_column)


def test_a_fault_has_its_place_code_and_message() -> None:
    """A fault says where, which and what."""
    fault = make_fault(Source("a.polar", "one\ntwo"), span(2, 1, 4), "some_code", "is wrong")

    assert (Place("a.polar", 2, 1), "some_code", "is wrong") == (
        fault.where,
        fault.code,
        fault.message,
    )


@pytest.mark.parametrize(
    ("expected", "text", "where"),
    [
        pytest.param(["1 | one two", "  |     ^^^"], "one two", span(1, 5, 8), id="a word"),
        pytest.param(["2 | two", "  | ^^^"], "one\ntwo\n", span(2, 1, 4), id="a later line"),
        pytest.param(["1 | one", "  |   ^"], "one", span(1, 3, 3), id="nothing"),
        pytest.param(["1 | ", "  | ^"], "", span(1, 1, 2), id="an empty file"),
        pytest.param(["1 | one", "  |    ^"], "one", span(1, 4, 5), id="behind the end"),
        pytest.param(["1 | one", "  |  ^^"], "one\ntwo", span(1, 2, 3, 2), id="several lines"),
        pytest.param(["1 | one", "  | ^^^"], "one\r\ntwo", span(1, 1, 4), id="a Windows line"),
        pytest.param(["1 | é = x", "  |     ^"], "é = x", span(1, 5, 6), id="characters count"),
        pytest.param(["1 | \ta\tb", "  | \t \t^"], "\ta\tb", span(1, 4, 5), id="tabs"),
        pytest.param(["1 | \ufffd[2Jx", "  |     ^"], "\x1b[2Jx", span(1, 5, 6), id="an escape"),
        pytest.param(["1 | \ufffdx", "  | ^"], "\ud800x", span(1, 1, 2), id="half a character"),
        pytest.param(["10 | x", "   | ^"], "\n" * 9 + "x", span(10, 1, 2), id="the margin widens"),
    ],
)
def test_the_line_is_underlined(expected: list[str], text: str, where: Span) -> None:
    """The line at the place is shown, with marks under what is meant."""
    assert expected == excerpt(text, where)


@pytest.mark.parametrize(
    "where",
    [span(1, 301, 306), span(1, 301, 606), span(1, 301, 4, 2)],
    ids=["a word", "the rest", "several lines"],
)
def test_of_a_long_line_the_part_that_matters_is_shown(where: Span) -> None:
    """A line of 605 characters is cut around the place."""
    line, marks = excerpt(f"{LONG}\nend", where)

    assert 4 + 120 == len(line)
    assert "WRONG" == line[marks.index("^") :][:5]
    assert len(marks) <= len(line)


def test_the_beginning_of_a_long_line_is_shown_from_its_beginning() -> None:
    """Where nothing needs cutting in front, nothing is cut."""
    line, marks = excerpt(LONG.removeprefix("a" * 300), span(1, 1, 6))

    assert ("1 | WRONG", "  | ^^^^^") == (line[:9], marks)


def test_a_long_line_ends_where_it_ends() -> None:
    """The end of a long line is underlined, and no further."""
    line, marks = excerpt("a" * 604 + "Z", span(1, 605, 606))

    assert "Z" == line[marks.index("^")]
    assert marks.endswith(" ^")


@pytest.mark.parametrize(
    ("read", "where"),
    [
        ("b", Span("a.polar", 1, 3, 1, 4)),
        ("b\n\nc d", Span("a.polar", 1, 3, 3, 4)),
        ("é", Span("a.polar", 4, 2, 4, 3)),
        ("", Span("a.polar", 5, 1, 5, 1)),
    ],
)
def test_what_stands_somewhere_is_read(read: str, where: Span) -> None:
    """Through the ends of lines, and up to the end of the text."""
    assert read == Source("a.polar", "a b\n\nc d\n\té\n").read(where)
