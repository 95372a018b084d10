"""Entities on their way in as JSON: an object of attributes, or a line, read into a row."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from authz_service.document import parse_time
from authz_service.errors import Fault, Place, RequestError, quote, suggest
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS, STRING
from authz_service.store.attributes import LARGEST_INTEGER, AttributeReader
from authz_service.store.entity import Reference, Row
from authz_service.store.lines import read_line, read_usual_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from authz_service.polar.schema import Schema
    from authz_service.store.lines import Line

    # An entity that was read: the number of its line, its type, its id, and what it holds.
    Entry = tuple[int, str, str, dict[str, Any]]

# After so many, lines are not read on.
MOST_FAULTS: Final = 100

# In bytes of UTF-8. A page of an index of PostgreSQL holds no more than two such ids in one entry.
LONGEST_ID: Final = 1_000
# In characters, each of which has four bytes at the most.
_SHORT_ID: Final = LONGEST_ID // 4

_KINDS: Final = {STRING: str, BOOLEAN: bool, INTEGER: int, DATETIME: str}


def _read_text(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds the character NUL, which is no text; leave it out")
    return value


def _read_integer(value: int) -> int:
    if abs(value) > LARGEST_INTEGER:
        raise ValueError(f"must be a whole number of at most {LARGEST_INTEGER}")
    return value


def _read_time(value: str) -> datetime:
    try:
        return parse_time(value)
    except ValueError:
        raise ValueError from None


_CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {
    STRING: _read_text,
    BOOLEAN: bool,
    INTEGER: _read_integer,
    DATETIME: _read_time,
}


class EntityReader(AttributeReader[Any]):
    """Reads entities one after another.

    Arguments:
        schema: says which entities there are.

    Attributes:
        faults: what was wrong so far.
        failed: the entities that could not be read, as far as they could be told.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self.failed: set[Reference] = set()
        self._stored = {name for name, each in schema.types.items() if each.stored}
        # by type, the attributes that are texts, ids among them, with the choices that there are
        self._texts = {
            kind: {
                name: each.choices
                for name, each in writable.items()
                if not each.many and (each.type == STRING or each.type not in SCALARS)
            }
            for kind, writable in self._writable.items()
        }
        self._nullable = {
            kind: {name for name, each in writable.items() if each.nullable}
            for kind, writable in self._writable.items()
        }
        # of what is being read; a place is made of them when there is something to tell
        self._name, self._number, self._prefix = "", 0, ""

    def read_lines(self, lines: Sequence[bytes], name: str, first: int) -> Iterator[Entry]:
        """Read lines, as they are wanted; what is wrong with one is added to the faults.

        Arguments:
            lines: empty ones are passed over.
            name: stands for the file in the places of faults.
            first: the number of the first line.
        """
        self._name, self._prefix = name, ""
        decoded = read_usual_lines(lines) or map(self._decode, lines, count(first))
        for number, line in enumerate(decoded, start=first):
            if len(self.faults) >= MOST_FAULTS:
                return
            if line is None:
                continue
            self._number = number
            values = self._read(line.type, line.id, line.attributes)
            if values is not None:
                yield number, line.type, line.id, values

    def read(
        self, reference: Reference, attributes: dict[str, Any], name: str, prefix: str
    ) -> Row | None:
        """Read an entity; None when something is wrong with it, which is added to the faults.

        Arguments:
            reference: which entity.
            attributes: what is written of it.
            name: the place of it.
            prefix: with which the place of an attribute begins.
        """
        self._name, self._number, self._prefix = name, 0, prefix
        values = self._read(reference.type, reference.id, attributes)
        return None if values is None else Row(reference, values)

    def read_some(self, kind: str, entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """Read some attributes: texts at once, for most are, and what is not usual with care."""
        texts, nullable = self._texts[kind], self._nullable[kind]
        values: dict[str, Any] = {}
        others = []
        for name, value in entries:
            choices = texts.get(name)
            if type(value) is str and choices is not None and "\0" not in value:
                is_usual = not choices or value in choices
            else:
                is_usual = value is None and name in nullable
            if is_usual:
                values[name] = value
            else:
                others.append((name, value))
        return values | super().read_some(kind, others) if others else values

    def is_null(self, value: Any) -> bool:
        """Tell whether it says that there is no value."""
        return value is None

    def split(self, value: Any) -> list[Any] | None:
        """Find the items of a list; None for what is no list."""
        return value if isinstance(value, list) else None

    def convert(self, kind: str, value: Any) -> Any:
        """Read a value that JSON has in the way of this kind."""
        if type(value) is not _KINDS[kind]:
            raise ValueError
        return _CONVERTERS[kind](value)

    def show(self, value: Any) -> str:
        """Write a value for a message, on one line."""
        if isinstance(value, dict | list):
            return "an object" if isinstance(value, dict) else "a list"
        if isinstance(value, str) and value.isprintable():
            return quote(value)
        return quote(json.dumps(value))

    def show_name(self, name: str) -> str:
        """Write the name of an attribute that there is not for a message."""
        return self.show(name)

    def place_of_entity(self) -> Place:
        """Find where the entity stands that is being read."""
        return Place(self._name, self._number)

    def place_of(self, name: str, _value: Any) -> Place:
        """Find where the value of an attribute stands."""
        return self.place_of_name(name)

    def place_of_name(self, name: str) -> Place:
        """Find where the name of an attribute stands."""
        if not self._prefix:
            return self.place_of_entity()
        return Place(f"{self._prefix}{name[:LONGEST_ID]}")

    def hint_missing(self, name: str, wanted: str) -> str:
        """Say how to write an attribute that is missing."""
        return f'give `"{name}"`: {wanted}'

    def _decode(self, data: bytes, number: int) -> Line | None:
        if not data or data.isspace():
            return None
        try:
            return read_line(data)
        except RequestError as error:
            place = Place(self._name, number)
            self.faults += [Fault(place, each.code, each.message) for each in error.faults]
            return None

    def _read(self, kind: str, entity_id: str, attributes: dict[str, Any]) -> dict[str, Any] | None:
        known = len(self.faults)
        self._check_reference(kind, entity_id)
        if len(self.faults) == known:
            values = self.read_attributes(kind, entity_id, attributes.items())
            if len(self.faults) == known:
                return values
        self.failed.add(Reference(kind, entity_id))
        return None

    def _check_reference(self, kind: str, entity_id: str) -> None:
        if kind in self._stored and 0 < len(entity_id) <= _SHORT_ID and "\0" not in entity_id:
            return
        if kind not in self._stored:
            message = f"there is no entity type {self.show(kind)}{suggest(kind, self._stored)}"
            self._blame_entity("unknown_type", message)
        if not entity_id:
            self._blame_entity("empty_id", "an id must not be empty")
        elif "\0" in entity_id:
            self._blame_entity("not_text", "the id holds the character NUL, which is no text")
        elif len(entity_id.encode()) > LONGEST_ID:
            message = f"an id has at most {LONGEST_ID} bytes; give a shorter one"
            self._blame_entity("id_too_long", message)

    def _blame_entity(self, code: str, message: str) -> None:
        self.blame(self.place_of_entity(), code, message)
