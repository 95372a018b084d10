"""What a caller says, held against the vocabulary of a domain."""

from __future__ import annotations

from typing import Any, Final

import pytest
from small_domain import DOMAIN

from authz_service.errors import RequestError
from authz_service.policy.request import read_given

NOTHING_SAID: Final[dict[str, Any]] = {"channel": None, "soft": None, "copies": None, "parts": []}

PARTS_WRONG: Final = (
    "action.properties.parts: `action.properties.parts` must be a list, each item a string"
)


def read(context: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Read what was said about a record."""
    return read_given(DOMAIN.schema, context, parameters)


def test_every_declared_name_is_there() -> None:
    """Where nothing was said there is None, or an empty list for a collection."""
    assert NOTHING_SAID == read({}, {})


@pytest.mark.parametrize(
    ("expected", "context", "parameters"),
    [
        ({"channel": "web"}, {"channel": "web"}, {}),
        ({"channel": ""}, {"channel": ""}, {}),
        ({"soft": True}, {}, {"soft": True}),
        ({"soft": False}, {}, {"soft": False}),
        ({"copies": 0}, {}, {"copies": 0}),
        ({"parts": ["a", "b", "a"]}, {}, {"parts": ["a", "b", "a"]}),
        ({"parts": []}, {}, {"parts": []}),
    ],
)
def test_what_is_declared_is_kept(
    expected: dict[str, Any], context: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """A value of the declared type is what was said."""
    assert NOTHING_SAID | expected == read(context, parameters)


@pytest.mark.parametrize(
    ("context", "parameters"),
    [
        ({"weather": "fine"}, {}),
        ({}, {"weather": {"any": ["thing"]}}),
        ({"soft": True, "parts": ["a"]}, {}),
        ({}, {"channel": "web"}),
        ({"now": "2026-01-05T09:00:00Z", "subject": "bob"}, {}),
    ],
)
def test_what_is_not_declared_is_ignored(
    context: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """Unknown names are left out, and so are known ones in the wrong place."""
    assert NOTHING_SAID == read(context, parameters)


@pytest.mark.parametrize("name", ["channel", "soft", "copies", "parts"])
def test_null_counts_as_not_said(name: str) -> None:
    """A declared name with the value None is as if it were not there."""
    assert NOTHING_SAID == read({name: None}, {name: None})


@pytest.mark.parametrize(
    ("expected", "context", "parameters"),
    [
        ("context.channel: `context.channel` must be a string", {"channel": 1}, {}),
        ("context.channel: `context.channel` must be a string", {"channel": ["web"]}, {}),
        ("context.channel: `context.channel` must be a string", {"channel": {}}, {}),
        ("context.channel: `context.channel` must be a string", {"channel": True}, {}),
        (
            "action.properties.soft: `action.properties.soft` must be a boolean",
            {},
            {"soft": "true"},
        ),
        ("action.properties.soft: `action.properties.soft` must be a boolean", {}, {"soft": 1}),
        (
            "action.properties.copies: `action.properties.copies` must be an integer",
            {},
            {"copies": True},
        ),
        (
            "action.properties.copies: `action.properties.copies` must be an integer",
            {},
            {"copies": 2.0},
        ),
        (
            "action.properties.copies: `action.properties.copies` must be an integer",
            {},
            {"copies": "2"},
        ),
        *(
            (
                PARTS_WRONG,
                {},
                {"parts": wrong},
            )
            for wrong in ("a", [1], ["a", None], [["a"]], {"a": "b"}, ("a",), 3)
        ),
    ],
)
def test_a_value_of_another_type_is_refused(
    expected: str, context: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """Nothing is turned into what was wanted; the fault names the member."""
    with pytest.raises(RequestError) as caught:
        read(context, parameters)

    assert f"{expected} [wrong_type]" == str(caught.value)


def test_all_values_of_another_type_are_told() -> None:
    """An error has a fault for each member."""
    with pytest.raises(RequestError) as caught:
        read({"channel": 1}, {"soft": "yes", "copies": 1, "parts": "a"})

    assert ["action.properties.parts", "action.properties.soft", "context.channel"] == [
        str(fault.where) for fault in caught.value.faults
    ]
