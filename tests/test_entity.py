"""Models as entity types, and references to entities."""

from __future__ import annotations

from typing import ClassVar, Final

import peewee
import pytest

from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, STRING, Attribute
from authz_service.store.entity import (
    ChoiceField,
    Entity,
    InstantField,
    Reference,
    read_schema,
    type_name,
)


class Harbour(Entity):
    """Where ships are at home."""

    name = peewee.TextField()


class CargoShip(Entity):
    """A ship with an attribute of every sort."""

    name = peewee.TextField()
    flag = ChoiceField("belgian", "dutch")
    note = peewee.TextField(null=True)
    crew = peewee.IntegerField(default=0)
    insured = peewee.BooleanField(default=False)
    launched = InstantField()
    home = peewee.ForeignKeyField(Harbour, backref="fleet")
    builder = peewee.ForeignKeyField(Harbour, null=True)
    calls = peewee.ManyToManyField(Harbour, backref="callers")
    home_name = peewee.TextField()

    copies: ClassVar = {"home_name": "home.name"}


CHANNEL: Final = Attribute("channel", STRING, nullable=True)
REASON: Final = Attribute("reason", STRING)
SCHEMA: Final = read_schema(
    (Harbour, CargoShip),
    frozenset({"harbour"}),
    {"cargo_ship": ("board", "unload")},
    ((CHANNEL,), (REASON,)),
)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Reference("person", "mary"), "person/mary"),
        (Reference("membership", "123456789/mary"), "membership/123456789/mary"),
        (Reference("person", "/"), "person//"),
    ],
)
def test_a_reference_is_read(expected: Reference, text: str) -> None:
    """A reference is a type, a slash and an id, which may have slashes of its own."""
    assert expected == Reference.parse(text)


@pytest.mark.parametrize("text", ["", "person", "person/", "/mary", "/"])
def test_half_a_reference_is_refused(text: str) -> None:
    """A reference without type or id is refused with an example."""
    with pytest.raises(ValueError, match=f"^`{text}` is not of the form type/id, as in person/"):
        Reference.parse(text)


def test_a_reference_is_written_as_it_is_read() -> None:
    """A reference as text is what reads as the same reference."""
    reference = Reference("membership", "123456789/mary")

    assert reference == Reference.parse(str(reference))


def test_references_sort_by_type_and_id() -> None:
    """References are in order by their types, then by their ids."""
    in_order = [Reference("a", "2"), Reference("b", "1"), Reference("b", "2")]

    assert in_order == sorted([in_order[2], in_order[0], in_order[1]])


@pytest.mark.parametrize(("expected", "model"), [("harbour", Harbour), ("cargo_ship", CargoShip)])
def test_a_type_has_the_name_of_its_table(expected: str, model: type[Entity]) -> None:
    """A model stands for the type of its name in small letters, words kept apart."""
    assert expected == type_name(model)


@pytest.mark.parametrize(
    "expected",
    [
        Attribute("id", STRING),
        Attribute("name", STRING),
        Attribute("flag", STRING, choices=("belgian", "dutch")),
        Attribute("note", STRING, nullable=True, optional=True),
        Attribute("crew", INTEGER, optional=True),
        Attribute("insured", BOOLEAN, optional=True),
        Attribute("launched", DATETIME),
        Attribute("home", "harbour"),
        Attribute("builder", "harbour", nullable=True, optional=True),
        Attribute("calls", "harbour", many=True, optional=True),
    ],
    ids=lambda attribute: attribute.name,
)
def test_a_field_is_an_attribute(expected: Attribute) -> None:
    """A field of a model is an attribute with the type and the freedoms of the field."""
    assert expected == SCHEMA.types["cargo_ship"].attributes[expected.name]


def test_a_copy_is_no_attribute() -> None:
    """A column that repeats another entity's value is not for policies."""
    assert "home_name" not in SCHEMA.types["cargo_ship"].attributes


def test_a_reference_is_seen_from_the_other_side() -> None:
    """A reference with a name for its other side is a collection there, never written."""
    expected = Attribute("fleet", "cargo_ship", many=True, optional=True, derived=True)

    assert expected == SCHEMA.types["harbour"].attributes["fleet"]


def test_only_what_is_named_is_seen_from_the_other_side() -> None:
    """A reference without such a name, and a list, are seen from one side only."""
    expected = ["fleet", "id", "name"]

    assert expected == sorted(SCHEMA.types["harbour"].attributes)


def test_actions_belong_to_their_type() -> None:
    """A type has the actions that are said of it, or none."""
    expected = {"harbour": (), "cargo_ship": ("board", "unload")}

    assert expected == {name: each.actions for name, each in SCHEMA.types.items()}


def test_what_a_caller_says_is_found_by_name() -> None:
    """A schema has the subjects, the context and the parameters that it was given."""
    expected = (frozenset({"harbour"}), {"channel": CHANNEL}, {"reason": REASON})

    assert expected == (SCHEMA.subjects, SCHEMA.context, SCHEMA.parameters)


class Parcel(Entity):
    """Something that is nowhere stored: all that is known of it comes with the question."""

    stored = False

    weight = peewee.IntegerField()
    label = peewee.TextField(null=True)


class Barge(Entity):
    """A barge, of which a caller may say how deep it lies."""

    supplied = frozenset({"depth"})

    name = peewee.TextField()
    depth = peewee.IntegerField()


def read_types(*models: type[Entity]) -> dict[str, dict[str, Attribute]]:
    """Read the attributes of entity types."""
    schema = read_schema(models, frozenset(), {}, ((), ()))
    return {name: dict(each.attributes) for name, each in schema.types.items()}


def test_what_is_not_stored_is_supplied_whole() -> None:
    """Each attribute comes with the question, or it is nil, for there is nowhere else to look."""
    expected = {
        "id": Attribute("id", STRING),
        "weight": Attribute("weight", INTEGER, nullable=True, supplied=True),
        "label": Attribute("label", STRING, nullable=True, optional=True, supplied=True),
    }

    assert expected == read_types(Parcel)["parcel"]


def test_what_is_marked_can_be_supplied() -> None:
    """The attribute that the model names can come with the question, and no other."""
    attributes = read_types(Barge)["barge"]

    assert {"id": False, "name": False, "depth": True} == {
        name: each.supplied for name, each in attributes.items()
    }


def test_only_values_that_there_are_can_be_supplied() -> None:
    """A misspelt name and a reference are refused where the domain is written."""

    class Tug(Entity):
        supplied = frozenset({"dpeth"})
        depth = peewee.IntegerField()

    class Lighter(Entity):
        supplied = frozenset({"home"})
        home = peewee.ForeignKeyField(Harbour)

    class Label(Entity):
        parcel = peewee.ForeignKeyField(Parcel)

    for model, message in (
        (Tug, "Tug has no attribute `dpeth`"),
        (Lighter, "Lighter.home refers to an entity"),
        (Label, "Label.parcel refers to an entity"),
    ):
        with pytest.raises(TypeError, match=message):
            read_types(model)
