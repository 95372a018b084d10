"""Errors are data: places, faults, and what they look like in print."""

from __future__ import annotations

import pytest

from authz_service.errors import (
    AuthzError,
    DocumentError,
    EvaluationTimeoutError,
    Fault,
    FixtureError,
    Place,
    PolicyError,
    RequestError,
    RequestTooLargeError,
    ScenarioError,
    SettingError,
    StoreError,
    quote,
    suggest,
)


@pytest.mark.parametrize(
    ("expected", "place"),
    [
        ("a.yaml:3:7", Place("a.yaml", 3, 7)),
        ("a.yaml:3", Place("a.yaml", 3)),
        ("subject.id", Place("subject.id")),
    ],
)
def test_a_place_is_written_as_editors_do(expected: str, place: Place) -> None:
    """A place is its name with the numbers that are known."""
    assert expected == str(place)


def test_a_fault_is_one_line() -> None:
    """A fault says where, what and its code."""
    fault = Fault(Place("a.yaml", 3, 7), "unknown_type", "there is no entity type `persn`")
    expected = "a.yaml:3:7: there is no entity type `persn` [unknown_type]"

    assert expected == str(fault)


def test_faults_are_in_the_order_of_their_places() -> None:
    """An error has its faults by file, line and column, however they were found."""
    in_order = (
        Fault(Place("a.yaml", 2, 9), "z", "z"),
        Fault(Place("a.yaml", 10, 1), "b", "b"),
        Fault(Place("a.yaml", 10, 3), "a", "a"),
        Fault(Place("b.yaml", 1, 1), "a", "a"),
    )

    assert in_order == AuthzError(reversed(in_order)).faults


def test_a_fault_that_was_found_twice_is_told_once() -> None:
    """An error has no fault twice."""
    fault = Fault(Place("a.yaml"), "empty_file", "holds no entities")

    assert (fault,) == AuthzError([fault, fault]).faults


def test_an_error_in_print_is_a_line_for_each_fault() -> None:
    """An error as text is its faults below each other."""
    error = AuthzError([Fault(Place("b"), "two", "second"), Fault(Place("a"), "one", "first")])
    expected = "a: first [one]\nb: second [two]"

    assert expected == str(error)


@pytest.mark.parametrize("place", ["a.yaml", Place("a.yaml")])
def test_an_error_is_made_at_a_place_or_a_name(place: Place | str) -> None:
    """An error for one fault takes the place as such or as a name."""
    error = FixtureError.at(place, "empty_file", "holds no entities")

    assert (Fault(Place("a.yaml"), "empty_file", "holds no entities"),) == error.faults


def test_an_error_is_of_the_kind_that_was_asked_for() -> None:
    """An error for one fault is of the class that it is made from."""
    assert FixtureError is type(FixtureError.at("a.yaml", "empty_file", "holds no entities"))


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        (500, SettingError),
        (500, PolicyError),
        (503, StoreError),
        (500, FixtureError),
        (500, ScenarioError),
        (500, DocumentError),
        (500, EvaluationTimeoutError),
        (400, RequestError),
        (413, RequestTooLargeError),
    ],
)
def test_a_web_client_is_told_whose_fault_it_is(expected: int, kind: type[AuthzError]) -> None:
    """A request at fault is the caller's; everything else is the service's."""
    assert expected == kind.http_status


@pytest.mark.parametrize(
    ("expected", "word", "known"),
    [
        ("; did you mean `person`?", "persn", ["operator", "person"]),
        ("; there is `customer`, `person`", "zzz", ["person", "customer"]),
        ("", "person", []),
        ("; there is `person`", "x" * 1_000_000, ["person"]),
        ("; did you mean `{}`?".format("y" * 100), "y" * 1_000, ["y" * 100]),
    ],
)
def test_a_suggestion_is_the_nearest_word_or_all(
    expected: str, word: str, known: list[str]
) -> None:
    """A word that resembles a known one is taken for it; otherwise the known ones are listed."""
    assert expected == suggest(word, known)


@pytest.mark.parametrize(
    ("expected", "word"),
    [
        ("``", ""),
        ("`mary`", "mary"),
        ("`{}`".format("x" * 100), "x" * 100),
        ("`{}…`".format("x" * 100), "x" * 101),
    ],
    ids=["empty", "short", "longest", "too long"],
)
def test_a_quoted_word_is_cut_when_it_is_long(expected: str, word: str) -> None:
    """A word of somebody else stands in backticks, with no more than a hundred characters."""
    assert expected == quote(word)
