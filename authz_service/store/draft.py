"""Entities on their way in: a fixture file read into rows, each value checked on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from authz_service.document import Mapping, Scalar, Sequence, Value, load_document, parse_time
from authz_service.errors import DocumentError, Place, suggest
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS, STRING
from authz_service.store.attributes import LARGEST_INTEGER, AttributeReader, describe_wanted
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authz_service.polar.schema import Attribute, EntityType, Schema

_YAML_KINDS: Final = {STRING: "str", BOOLEAN: "bool", INTEGER: "int", DATETIME: "timestamp"}


@dataclass
class Draft:
    """An entity on its way in.

    Arguments:
        place: where its id stands.
        row: what could be read of it.
        places: where each attribute's value stands.
        complete: whether nothing is known to be wrong with it.
    """

    place: Place
    row: Row
    places: dict[str, Place] = field(default_factory=dict)
    complete: bool = True


class DraftReader(AttributeReader[Value]):
    """Reads fixture files one after another.

    Arguments:
        schema: says which entities there are.

    `drafts` has every entity of the files so far, `faults` what is wrong with their values.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self._stored = {name for name, each in schema.types.items() if each.stored}
        self._key = Scalar(Place(""), "str", "")
        self._keys: dict[str, Scalar] = {}
        self.drafts: dict[Reference, Draft] = {}

    def read(self, path: Path) -> None:
        """Read one file."""
        try:
            document = load_document(path)
        except DocumentError as error:
            self.faults += error.faults
            return
        if document is None:
            self.blame(Place(str(path)), "empty_file", "holds no entities")
            return
        self.read_document(document)

    def read_document(self, document: Value) -> None:
        """Read entities that stand in a file, by their types."""
        for kind, group in self._entries(document, "entity types, as in `person:`"):
            entity_type = self.find_type(kind.text, kind.place)
            if entity_type is None:
                continue
            for key, body in self._entries(group, f"{kind.text} entities by their ids"):
                self._read_entity(entity_type, key, body)

    def is_null(self, value: Value) -> bool:
        """Tell whether it says that there is no value."""
        return isinstance(value, Scalar) and value.kind == "null"

    def split(self, value: Value) -> tuple[Value, ...] | None:
        """Find the items of a list; None for what is no list."""
        return value.items if isinstance(value, Sequence) else None

    def convert(self, kind: str, value: Value) -> Any:
        """Read a scalar that YAML takes for one of this kind."""
        if not isinstance(value, Scalar) or value.kind != _YAML_KINDS[kind]:
            raise ValueError
        try:
            return _CONVERTERS[kind](value.text)
        except ValueError:
            raise ValueError from None

    def show(self, value: Value) -> str:
        """Write a value for a message."""
        return f"`{(isinstance(value, Scalar) and value.text) or 'nothing'}`"

    def place_of_entity(self) -> Place:
        """Find where the id of the entity stands that is being read."""
        return self._key.place

    def place_of(self, _name: str, value: Value) -> Place:
        """Find where the value of an attribute stands."""
        return value.place

    def place_of_name(self, name: str) -> Place:
        """Find where the name of an attribute of the entity that is being read stands."""
        return self._keys[name].place

    def hint_missing(self, name: str, wanted: str) -> str:
        """Say how to write an attribute that is missing."""
        return f"write `{name}:` and {wanted}"

    def blame_value(self, attribute: Attribute, value: Value, said: str) -> None:
        """Add to the faults, with the quotes that are mostly forgotten."""
        is_text = attribute.type not in SCALARS or attribute.type == STRING
        if not isinstance(value, Scalar):
            whose = f"each of `{attribute.name}`" if attribute.many else f"`{attribute.name}`"
            message = f"{whose} must be {describe_wanted(attribute)}"
            self.blame(value.place, "wrong_type", message)
        elif is_text and value.kind != "null":
            message = f"YAML reads `{value.text}` as {_describe(value.kind)}, "
            message += f'but `{attribute.name}` is text; write it in quotes: "{value.text}"'
            self.blame(value.place, "not_text", message)
        else:
            super().blame_value(attribute, value, said)

    def read_part(self, kind: str, place: Place, body: Value) -> dict[str, Any]:
        """Read some attributes of an entity; others that it must have are not missed.

        Arguments:
            kind: the name of its type.
            place: where that stands.
            body: the attributes with their values.
        """
        if self.find_type(kind, place) is None:
            return {}
        return self.read_some(kind, self._name(body))

    def find_type(self, kind: str, place: Place) -> EntityType | None:
        """Find a type of which entities are stored; none is a fault at the place."""
        entity_type = self._types.get(kind)
        if entity_type is None:
            message = f"there is no entity type `{kind}`{suggest(kind, self._stored)}"
            self.blame(place, "unknown_type", message)
        elif not entity_type.stored:
            message = f"what a `{kind}` is comes with each question; none is stored"
            self.blame(place, "not_stored", message)
            return None
        return entity_type

    def _entries(self, value: Value, wanted: str) -> Iterator[tuple[Scalar, Value]]:
        if isinstance(value, Mapping):
            yield from value.entries
        else:
            self.blame(value.place, "wrong_type", f"write {wanted} with what belongs to each")

    def _read_entity(self, entity_type: EntityType, key: Scalar, body: Value) -> None:
        reference = Reference(entity_type.name, key.text)
        self._check_id(key)
        if reference in self.drafts:
            place = self.drafts[reference].place
            message = f"`{reference}` stands in {place} already; an id is used once"
            self.blame(key.place, "duplicate_id", message)
            return
        known = len(self.faults)
        named = self._name(body)
        self._key = key
        values = self.read_attributes(entity_type.name, key.text, named)
        places = {name: value.place for name, value in named}
        complete = len(self.faults) == known
        self.drafts[reference] = Draft(key.place, Row(reference, values), places, complete)

    def _name(self, body: Value) -> list[tuple[str, Value]]:
        """Find the attributes that are written, and remember where their names stand."""
        entries = list(self._entries(body, "attributes, as in `{name: Mary Jones}`,"))
        self._keys = {name.text: name for name, _ in entries}
        return [(name.text, value) for name, value in entries]

    def _check_id(self, key: Scalar) -> None:
        if key.kind != "str":
            message = f"YAML reads `{key.text}` as {_describe(key.kind)}, not as text; "
            self.blame(key.place, "not_text", f'{message}write it in quotes: "{key.text}"')
        elif not key.text:
            self.blame(key.place, "empty_id", "an id must not be empty")


def _read_integer(text: str) -> int:
    number = int(text.replace("_", ""), 10)
    if abs(number) > LARGEST_INTEGER:
        raise ValueError("is larger than a column holds")
    return number


_CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {
    STRING: str,
    BOOLEAN: lambda text: text.lower() in {"true", "yes", "on"},
    INTEGER: _read_integer,
    DATETIME: parse_time,
}


def _describe(kind: str) -> str:
    known = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}
    return known.get(kind, f"a {kind}")
