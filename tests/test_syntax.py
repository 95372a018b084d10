"""The syntax tree of Polar."""

from __future__ import annotations

import dataclasses

import pytest

from authz_service.polar.syntax import Comparison, Constant, Parameter, Span, TypePattern, Variable

HERE = Span("a.polar", 1, 1, 1, 2)
THERE = Span("b.polar", 7, 3, 7, 4)


def test_pieces_that_say_the_same_are_equal_wherever_they_stand() -> None:
    """Where something stands does not count when two policies are compared."""
    here = Comparison(HERE, "=", Variable(HERE, "x"), Constant(HERE, 1))
    there = Comparison(THERE, "=", Variable(THERE, "x"), Constant(THERE, 1))

    assert here == there
    assert hash(here) == hash(there)


def test_pieces_that_say_something_else_differ() -> None:
    """The operator is part of what a comparison says."""
    x, one = Variable(HERE, "x"), Constant(HERE, 1)

    assert Comparison(HERE, "=", x, one) != Comparison(HERE, "!=", x, one)


def test_a_piece_is_shown_without_its_place() -> None:
    """What a developer sees of a piece is what it says."""
    assert "Variable(name='x')" == repr(Variable(HERE, "x"))


def test_a_piece_does_not_change() -> None:
    """A tree that has been read stays as it is."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Variable(HERE, "x").name = "y"  # type: ignore[misc]  # the very thing that is refused


def test_a_type_has_no_fields_and_a_parameter_no_pattern_unless_they_are_said() -> None:
    """What is left out of a rule is nothing."""
    assert TypePattern(HERE, "Foo", ()) == TypePattern(HERE, "Foo")
    assert Parameter(HERE, Variable(HERE, "x"), None) == Parameter(HERE, Variable(HERE, "x"))
