"""The vocabulary of policies."""

from __future__ import annotations

import dataclasses

import pytest

from authz_service.polar.schema import STRING, Attribute, EntityType


@pytest.mark.parametrize(
    ("expected", "name"),
    [("Person", "person"), ("AccessOwnerRegistration", "access_owner_registration")],
)
def test_a_type_has_a_name_for_policies(expected: str, name: str) -> None:
    """A type's name in policies is its words run together, each with a capital."""
    assert expected == EntityType(name, {}).class_name


def test_nothing_can_be_asked_of_a_type_unless_it_is_said() -> None:
    """A type has no actions of its own accord."""
    assert EntityType("membership", {}, actions=()) == EntityType("membership", {})


def test_an_attribute_is_a_single_required_value_unless_it_is_said() -> None:
    """An attribute is one stored value, which must be there and may be anything."""
    plain = Attribute(
        "name",
        STRING,
        nullable=False,
        many=False,
        choices=(),
        optional=False,
        derived=False,
    )

    assert plain == Attribute("name", STRING)


def test_an_attribute_stays_as_it_is() -> None:
    """An attribute cannot be changed."""
    attribute = Attribute("name", STRING)

    with pytest.raises(dataclasses.FrozenInstanceError):
        attribute.nullable = True  # type: ignore[misc]
