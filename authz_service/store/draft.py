"""Entities on their way in: a fixture file read into rows, each value checked on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from authz_service.document import Mapping, Scalar, Sequence, load_document, parse_time
from authz_service.errors import DocumentError, Fault, Place, suggest, with_article
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS, STRING
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.polar.schema import Attribute, EntityType, Schema

_LARGEST_INTEGER: Final = 2**31 - 1
_YAML_KINDS: Final = {STRING: "str", BOOLEAN: "bool", INTEGER: "int", DATETIME: "timestamp"}
_WANTED: Final = {
    STRING: "text",
    BOOLEAN: "`true` or `false`",
    INTEGER: "a whole number",
    DATETIME: "a time such as 2026-01-05T09:00:00Z",
}


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


class DraftReader:
    """Reads fixture files one after another.

    Arguments:
        schema: says which entities there are.

    `drafts` has every entity of the files so far, `faults` what is wrong with their values.
    """

    def __init__(self, schema: Schema) -> None:
        self._types = schema.types
        self._stored = {name for name, each in schema.types.items() if each.stored}
        self.drafts: dict[Reference, Draft] = {}
        self.faults: list[Fault] = []

    def read(self, path: Path) -> None:
        """Read one file."""
        try:
            document = load_document(path)
        except DocumentError as error:
            self.faults += error.faults
            return
        if document is None:
            self._blame(Place(str(path)), "empty_file", "holds no entities")
            return
        for kind, group in self._entries(document, "entity types, as in `person:`"):
            entity_type = self.find_type(kind.text, kind.place)
            if entity_type is None:
                continue
            for key, body in self._entries(group, f"{kind.text} entities by their ids"):
                self._read_entity(entity_type, key, body)

    def read_part(self, kind: str, place: Place, body: Value) -> dict[str, Any]:
        """Read some attributes of an entity; others that it must have are not missed.

        Arguments:
            kind: the name of its type.
            place: where that stands.
            body: the attributes with their values.
        """
        entity_type = self.find_type(kind, place)
        if entity_type is None:
            return {}
        read = self._read_attributes(entity_type, body)
        return {name: value for name, (_, value) in read.items()}

    def find_type(self, kind: str, place: Place) -> EntityType | None:
        """Find a type of which entities are stored; none is a fault at the place."""
        entity_type = self._types.get(kind)
        if entity_type is None:
            message = f"there is no entity type `{kind}`{suggest(kind, self._stored)}"
            self._blame(place, "unknown_type", message)
        elif not entity_type.stored:
            message = f"what a `{kind}` is comes with each question; none is stored"
            self._blame(place, "not_stored", message)
            return None
        return entity_type

    def _blame(self, place: Place, code: str, message: str) -> None:
        self.faults.append(Fault(place, code, message))

    def _entries(self, value: Value, wanted: str) -> Iterator[tuple[Scalar, Value]]:
        if isinstance(value, Mapping):
            yield from value.entries
        else:
            self._blame(value.place, "wrong_type", f"write {wanted} with what belongs to each")

    def _read_entity(self, entity_type: EntityType, key: Scalar, body: Value) -> None:
        reference = Reference(entity_type.name, key.text)
        self._check_id(key)
        if reference in self.drafts:
            place = self.drafts[reference].place
            message = f"`{reference}` stands in {place} already; an id is used once"
            self._blame(key.place, "duplicate_id", message)
            return
        draft = Draft(key.place, Row(reference, values := {}))
        self.drafts[reference] = draft
        known = len(self.faults)
        for name, (place, value) in self._read_attributes(entity_type, body).items():
            draft.places[name], values[name] = place, value
        self._blame_missing(entity_type, draft)
        draft.complete = len(self.faults) == known

    def _read_attributes(
        self, entity_type: EntityType, body: Value
    ) -> dict[str, tuple[Place, Any]]:
        """Read the attributes that are written, each with its place and its value."""
        found = {}
        for name, value in self._entries(body, "attributes, as in `{name: Mary Jones}`,"):
            attribute = entity_type.attributes.get(name.text)
            if attribute is None or attribute.derived or attribute.name == "id":
                self._blame_attribute(entity_type, name)
                continue
            found[attribute.name] = value.place, self._read_value(attribute, value)
        return found

    def _check_id(self, key: Scalar) -> None:
        if key.kind != "str":
            message = f"YAML reads `{key.text}` as {_describe(key.kind)}, not as text; "
            self._blame(key.place, "not_text", f'{message}write it in quotes: "{key.text}"')
        elif not key.text:
            self._blame(key.place, "empty_id", "an id must not be empty")

    def _blame_attribute(self, entity_type: EntityType, name: Scalar) -> None:
        owner, nearest = with_article(entity_type.name), suggest(name.text, _writable(entity_type))
        message = f"{owner} has no attribute `{name.text}` that is written here{nearest}"
        self._blame(name.place, "unknown_attribute", message)

    def _blame_missing(self, entity_type: EntityType, draft: Draft) -> None:
        for name, attribute in _writable(entity_type).items():
            if name not in draft.places and not attribute.optional:
                wanted = _wanted(attribute)
                message = f"`{draft.row.reference}` lacks `{name}`; write `{name}:` and {wanted}"
                self._blame(draft.place, "missing_attribute", message)

    def _read_value(self, attribute: Attribute, value: Value) -> Any:
        if attribute.many:
            return self._read_list(attribute, value)
        if not isinstance(value, Scalar):
            self._blame(
                value.place, "wrong_type", f"`{attribute.name}` must be {_wanted(attribute)}"
            )
            return None
        return self._read_scalar(attribute, value)

    def _read_list(self, attribute: Attribute, value: Value) -> tuple[Any, ...]:
        if not isinstance(value, Sequence):
            message = f'`{attribute.name}` must be a list, as in `["a", "b"]`'
            self._blame(value.place, "wrong_type", message)
            return ()
        items = []
        for item in value.items:
            if not isinstance(item, Scalar):
                message = f"each of `{attribute.name}` must be {_wanted(attribute)}"
                self._blame(item.place, "wrong_type", message)
                continue
            read = self._read_scalar(attribute, item)
            if read is not None and read in items:
                self._blame(item.place, "duplicate_item", f"`{item.text}` is in the list already")
            items.append(read)
        return tuple(items)

    def _read_scalar(self, attribute: Attribute, value: Scalar) -> Any:
        wanted = attribute.type if attribute.type in SCALARS else STRING
        if value.kind == "null" and attribute.nullable:
            return None
        if value.kind != _YAML_KINDS[wanted]:
            self._blame_scalar(attribute, wanted, value)
            return None
        if attribute.choices and value.text not in attribute.choices:
            nearest = suggest(value.text, attribute.choices)
            message = f"`{attribute.name}` cannot be `{value.text}`{nearest}"
            self._blame(value.place, "unknown_value", message)
        try:
            return _CONVERTERS[wanted](value.text)
        except ValueError:
            self._blame_scalar(attribute, wanted, value)
            return None

    def _blame_scalar(self, attribute: Attribute, wanted: str, value: Scalar) -> None:
        if wanted == STRING and value.kind != "null":
            message = f"YAML reads `{value.text}` as {_describe(value.kind)}, "
            message += f'but `{attribute.name}` is text; write it in quotes: "{value.text}"'
            self._blame(value.place, "not_text", message)
        else:
            shown = value.text or "nothing"
            message = f"`{attribute.name}` must be {_wanted(attribute)}, not `{shown}`"
            self._blame(value.place, "wrong_type", message)


def _read_integer(text: str) -> int:
    number = int(text.replace("_", ""), 10)
    if abs(number) > _LARGEST_INTEGER:
        raise ValueError("is larger than a column holds")
    return number


_CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {
    STRING: str,
    BOOLEAN: lambda text: text.lower() in {"true", "yes", "on"},
    INTEGER: _read_integer,
    DATETIME: parse_time,
}


def _writable(entity_type: EntityType) -> dict[str, Attribute]:
    return {
        name: each
        for name, each in entity_type.attributes.items()
        if name != "id" and not each.derived
    }


def _wanted(attribute: Attribute) -> str:
    if attribute.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in attribute.choices)
    return _WANTED.get(attribute.type, f"the id of {with_article(attribute.type)}")


def _describe(kind: str) -> str:
    known = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}
    return known.get(kind, f"a {kind}")
