"""What is written of an entity, attribute by attribute, whatever notation it is written in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from authz_service.errors import Fault, suggest, with_article
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS, STRING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz_service.errors import Place
    from authz_service.polar.schema import Attribute, EntityType, Schema

V = TypeVar("V")

# What an integer column holds.
LARGEST_INTEGER: Final = 2**31 - 1

_WANTED: Final = {
    STRING: "text",
    BOOLEAN: "`true` or `false`",
    INTEGER: "a whole number",
    DATETIME: "a time such as 2026-01-05T09:00:00Z",
}


class AttributeReader(ABC, Generic[V]):
    """Reads the attributes of entities; a subclass knows how values stand in its notation.

    Arguments:
        schema: says which entities there are.

    Attributes:
        faults: what was wrong so far.
    """

    def __init__(self, schema: Schema) -> None:
        self.faults: list[Fault] = []
        self._types = schema.types
        self._writable = {name: find_writable(each) for name, each in schema.types.items()}
        self._required = {
            kind: {name for name, each in writable.items() if not each.optional}
            for kind, writable in self._writable.items()
        }

    @abstractmethod
    def is_null(self, value: V) -> bool:
        """Tell whether it says that there is no value."""

    @abstractmethod
    def split(self, value: V) -> Sequence[V] | None:
        """Find the items of a list; None for what is no list."""

    @abstractmethod
    def convert(self, kind: str, value: V) -> Any:
        """Read a value of a scalar type.

        Raises:
            ValueError: when it is none; what follows the attribute's name in the message, if there
                is more to say than what is wanted.
        """

    @abstractmethod
    def show(self, value: V) -> str:
        """Write a value for a message."""

    @abstractmethod
    def place_of_entity(self) -> Place:
        """Find where the entity stands that is being read."""

    @abstractmethod
    def place_of(self, name: str, value: V) -> Place:
        """Find where the value of an attribute stands."""

    @abstractmethod
    def place_of_name(self, name: str) -> Place:
        """Find where the name of an attribute stands."""

    @abstractmethod
    def hint_missing(self, name: str, wanted: str) -> str:
        """Say how to write an attribute that is missing: the end of a message."""

    def read_attributes(
        self, kind: str, entity_id: str, entries: Iterable[tuple[str, V]]
    ) -> dict[str, Any]:
        """Read what is written of one entity; what is wrong with it is added to the faults.

        Arguments:
            kind: its type, which is one that is stored.
            entity_id: its id.
            entries: names with values.
        """
        values = self.read_some(kind, entries)
        if not values.keys() >= self._required[kind]:
            self._blame_missing(kind, entity_id, values)
        return values

    def read_some(self, kind: str, entries: Iterable[tuple[str, V]]) -> dict[str, Any]:
        """Read some attributes of an entity; others that it must have are not missed.

        Arguments:
            kind: its type, which is one that is stored.
            entries: names with values.
        """
        writable = self._writable[kind]
        values = {}
        for name, value in entries:
            attribute = writable.get(name)
            if attribute is None:
                self._blame_unknown(kind, name)
            elif attribute.many:
                values[name] = self._read_list(attribute, value)
            else:
                values[name] = self._read_scalar(attribute, value)
        return values

    def blame(self, place: Place, code: str, message: str) -> None:
        """Add to the faults."""
        self.faults.append(Fault(place, code, message))

    def blame_value(self, attribute: Attribute, value: V, said: str) -> None:
        """Add to the faults that a value cannot be one of this attribute."""
        message = said or f"must be {describe_wanted(attribute)}, not {self.show(value)}"
        place = self.place_of(attribute.name, value)
        self.blame(place, "wrong_type", f"`{attribute.name}` {message}")

    def blame_no_list(self, attribute: Attribute, value: V) -> None:
        """Add to the faults that a list was wanted."""
        message = f'`{attribute.name}` must be a list, as in `["a", "b"]`'
        self.blame(self.place_of(attribute.name, value), "wrong_type", message)

    def _read_list(self, attribute: Attribute, value: V) -> tuple[Any, ...]:
        found = self.split(value)
        if found is None:
            self.blame_no_list(attribute, value)
            return ()
        items: dict[Any, None] = {}
        for item in found:
            read = self._read_scalar(attribute, item)
            if read is not None and read in items:
                message = f"{self.show(item)} is in the list already"
                self.blame(self.place_of(attribute.name, item), "duplicate_item", message)
            items[read] = None
        return tuple(sorted(items, key=str))

    def _read_scalar(self, attribute: Attribute, value: V) -> Any:
        if attribute.nullable and self.is_null(value):
            return None
        kind = attribute.type if attribute.type in SCALARS else STRING
        try:
            found = self.convert(kind, value)
        except ValueError as error:
            self.blame_value(attribute, value, str(error))
            return None
        if attribute.choices and found not in attribute.choices:
            nearest = suggest(found, attribute.choices)
            message = f"`{attribute.name}` cannot be {self.show(value)}{nearest}"
            self.blame(self.place_of(attribute.name, value), "unknown_value", message)
        return found

    def _blame_unknown(self, kind: str, name: str) -> None:
        owner, nearest = with_article(kind), suggest(name, self._writable[kind])
        message = f"{owner} has no attribute {self.show_name(name)} that is written here{nearest}"
        self.blame(self.place_of_name(name), "unknown_attribute", message)

    def show_name(self, name: str) -> str:
        """Write the name of an attribute that there is not for a message."""
        return f"`{name}`"

    def _blame_missing(self, kind: str, entity_id: str, values: dict[str, Any]) -> None:
        for name, attribute in self._writable[kind].items():
            if name not in values and not attribute.optional:
                hint = self.hint_missing(name, describe_wanted(attribute))
                message = f"`{kind}/{entity_id}` lacks `{name}`; {hint}"
                self.blame(self.place_of_entity(), "missing_attribute", message)


def find_writable(entity_type: EntityType) -> dict[str, Attribute]:
    """Find the attributes that are written on an entity of a type."""
    return {
        name: each
        for name, each in entity_type.attributes.items()
        if name != "id" and not each.derived
    }


def describe_wanted(attribute: Attribute) -> str:
    """Say what the value of an attribute must be."""
    if attribute.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in attribute.choices)
    return _WANTED.get(attribute.type, f"the id of {with_article(attribute.type)}")
