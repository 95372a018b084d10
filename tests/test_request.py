"""What a caller says, held against the vocabulary of a domain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import generated_policies
import pytest
from small_domain import ALICE, DOMAIN, REPORT

from authz_service.errors import RequestError
from authz_service.policy.request import Said, build_request, read_given
from authz_service.portal import DOMAIN as PORTAL
from authz_service.store.entity import Reference

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


# attributes that come with the question


def supply(subject: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    """Read what was said about a user and a record, of which some can be supplied."""
    said = Said(subject=subject, resource=resource)
    schema = generated_policies.DOMAIN.schema
    return dict(build_request(schema, ALICE, "read", REPORT, said).supplied)


@pytest.mark.parametrize(
    ("expected", "subject", "resource"),
    [
        ({}, {}, {}),
        ({"subject.role": "admin"}, {"role": "admin"}, {}),
        ({"resource.size": 3}, {}, {"size": 3}),
        ({"resource.title": ""}, {}, {"title": ""}),
        (
            {"resource.created": datetime(2026, 1, 5, 8, tzinfo=UTC)},
            {},
            {"created": "2026-01-05T09:00:00+01:00"},
        ),
        ({}, {"role": None}, {"size": None}),
        ({}, {"name": "Alice", "id": "bob", "manager": "bob"}, {"secret": True, "owner": "alice"}),
        ({}, {"title": "x"}, {"role": "admin"}),
        ({}, {"weather": {"any": ["thing"]}}, {"readers": ["alice"]}),
    ],
)
def test_what_can_be_supplied_is_kept(
    expected: dict[str, Any], subject: dict[str, Any], resource: dict[str, Any]
) -> None:
    """An attribute that the domain marks comes with the question; for others the store counts."""
    assert expected == supply(subject, resource)


@pytest.mark.parametrize(
    ("expected", "subject", "resource"),
    [
        (["subject.properties.role` must be a string"], {"role": ["admin"]}, {}),
        (["resource.properties.size` must be an integer"], {}, {"size": "3"}),
        (["resource.properties.size` must be an integer"], {}, {"size": True}),
        (["resource.properties.created` must be a time such as"], {}, {"created": "yesterday"}),
        (["resource.properties.created` must be a time such as"], {}, {"created": 5}),
        (
            ["resource.properties.size` must be", "subject.properties.role` must be"],
            {"role": 1},
            {"size": {}},
        ),
    ],
)
def test_what_is_supplied_has_its_type(
    expected: list[str], subject: dict[str, Any], resource: dict[str, Any]
) -> None:
    """A value of another type is refused, each with its place."""
    with pytest.raises(RequestError) as caught:
        supply(subject, resource)

    found = zip(expected, caught.value.faults, strict=True)
    assert [True] * len(expected) == [each in fault.message for each, fault in found]
    assert {"wrong_type"} == {fault.code for fault in caught.value.faults}


def test_wrong_context_and_wrong_attributes_are_told_together() -> None:
    """Everything that is wrong with what was said is told at once."""
    said = Said(context={"channel": 1}, subject={"role": 1})
    with pytest.raises(RequestError) as caught:
        build_request(generated_policies.DOMAIN.schema, ALICE, "read", REPORT, said)

    assert ["context.channel", "subject.properties.role"] == [
        str(fault.where) for fault in caught.value.faults
    ]


def test_nothing_is_supplied_about_what_is_unknown() -> None:
    """A type that the domain does not have has no attributes."""
    stranger = Reference("stranger", "x")
    said = Said(subject={"role": "admin"}, resource={"title": "x"})

    assert {} == build_request(DOMAIN.schema, stranger, "read", stranger, said).supplied


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, each in PORTAL.schema.types.items() for name in each.attributes],
)
def test_no_attribute_of_the_portal_can_be_supplied(kind: str, name: str) -> None:
    """The portal marks none, so nobody talks their way in."""
    thing = Reference(kind, "x")
    for value in ("x", 1, True, ["x"]):
        said = Said(subject={name: value}, resource={name: value})
        assert {} == build_request(PORTAL.schema, thing, "view", thing, said).supplied
