"""Fixture files: entities as YAML, checked whole before any of them is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from authz_service.document import Mapping, Scalar, Sequence, load_document
from authz_service.errors import DocumentError, Fault, FixtureError, Place, suggest
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS, STRING
from authz_service.store.database import BrokenPromiseError
from authz_service.store.entity import Reference, Row, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.polar.schema import Attribute, EntityType
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

_YAML_KINDS: Final = {STRING: "str", BOOLEAN: "bool", INTEGER: "int", DATETIME: "timestamp"}
_WANTED: Final = {
    STRING: "text",
    BOOLEAN: "`true` or `false`",
    INTEGER: "a whole number",
    DATETIME: "a time such as 2026-01-05T09:00:00Z",
}


@dataclass
class _Draft:
    """An entity on its way in: where it stands and what could be read of it."""

    place: Place
    row: Row
    places: dict[str, Place] = field(default_factory=dict)
    complete: bool = True


def find_fixture_files(paths: Iterable[Path]) -> list[Path]:
    """Find the fixture files that the paths stand for: a folder is all `.yaml` files in it.

    Raises:
        FixtureError: for a path that does not exist and a folder without such a file.
    """
    found: list[Path] = []
    faults = []
    for path in paths:
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not files:
            message = "holds no `.yaml` file"
            faults.append(Fault(Place(str(path)), "empty_folder", message))
        elif not files[0].exists():
            message = "there is no such file or folder"
            faults.append(Fault(Place(str(path)), "missing_file", message))
        found += files
    if faults:
        raise FixtureError(faults)
    return found


def load_fixtures(paths: Iterable[Path], store: Store, domain: Domain) -> int:
    """Put the entities of fixture files into the store: all of them, or none.

    Call it inside a transaction of the store, which an error must roll back.

    Returns:
        how many entities were stored.

    Raises:
        FixtureError: with every fault of every file, each with its line and what to write instead.
    """
    reader = _Reader(domain)
    for path in find_fixture_files(paths):
        reader.read(path)
    faults = [*reader.faults, *_check(reader.drafts, store, domain)]
    faults += _store(reader.drafts, store, domain, blame_all=not faults)
    if faults:
        raise FixtureError(faults)
    return len(reader.drafts)


class _Reader:
    """Turns documents into drafts, collecting what is wrong with each value on its own."""

    def __init__(self, domain: Domain) -> None:
        self._types = domain.schema.types
        self.drafts: dict[Reference, _Draft] = {}
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
            entity_type = self._types.get(kind.text)
            if entity_type is None:
                message = (
                    f"there is no entity type `{kind.text}`; {suggest(kind.text, self._types)}"
                )
                self._blame(kind.place, "unknown_type", message)
                continue
            for key, body in self._entries(group, f"{kind.text} entities by their ids"):
                self._read_entity(entity_type, key, body)

    def _blame(self, place: Place, code: str, message: str) -> None:
        self.faults.append(Fault(place, code, message))

    def _entries(self, value: Value, wanted: str) -> Iterator[tuple[Scalar, Value]]:
        if isinstance(value, Mapping):
            yield from value.entries
        else:
            self._blame(value.place, "wrong_type", f"write {wanted} with what belongs to each")

    def _read_entity(self, entity_type: EntityType, key: Scalar, body: Value) -> None:
        reference = Reference(entity_type.name, key.text)
        if key.kind != "str":
            message = (
                f"YAML reads `{key.text}` as {_article(key.kind)}, not as text; "
                f'write it in quotes: "{key.text}"'
            )
            self._blame(key.place, "not_text", message)
        if reference in self.drafts:
            place = self.drafts[reference].place
            message = f"`{reference}` stands in {place} already; an id is used once"
            self._blame(key.place, "duplicate_id", message)
            return
        draft = _Draft(key.place, Row(reference, values := {}))
        self.drafts[reference] = draft
        known = len(self.faults)
        for name, value in self._entries(body, "attributes, as in `{name: Mary Jones}`,"):
            attribute = entity_type.attributes.get(name.text)
            if attribute is None or attribute.derived or attribute.name == "id":
                self._blame_attribute(entity_type, name)
                continue
            draft.places[attribute.name] = value.place
            values[attribute.name] = self._read_value(attribute, value)
        self._blame_missing(entity_type, draft)
        draft.complete = len(self.faults) == known

    def _blame_attribute(self, entity_type: EntityType, name: Scalar) -> None:
        message = f"a {entity_type.name} has no attribute `{name.text}` that is written here; "
        self._blame(
            name.place, "unknown_attribute", message + suggest(name.text, _writable(entity_type))
        )

    def _blame_missing(self, entity_type: EntityType, draft: _Draft) -> None:
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
            if read in items:
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
            message = f"`{attribute.name}` cannot be `{value.text}`; "
            message += suggest(value.text, attribute.choices)
            self._blame(value.place, "unknown_value", message)
        try:
            return _CONVERTERS[wanted](value.text)
        except ValueError:
            self._blame_scalar(attribute, wanted, value)
            return None

    def _blame_scalar(self, attribute: Attribute, wanted: str, value: Scalar) -> None:
        if wanted == STRING and value.kind != "null":
            message = (
                f"YAML reads `{value.text}` as {_article(value.kind)}, but `{attribute.name}` is "
                f'text; write it in quotes: "{value.text}"'
            )
            self._blame(value.place, "not_text", message)
        else:
            shown = value.text or "nothing"
            message = f"`{attribute.name}` must be {_wanted(attribute)}, not `{shown}`"
            self._blame(value.place, "wrong_type", message)


_CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {
    STRING: str,
    BOOLEAN: lambda text: text.lower() in {"true", "yes", "on"},
    INTEGER: lambda text: int(text.replace("_", ""), 10),
    DATETIME: datetime.fromisoformat,
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
    return _WANTED.get(attribute.type, f"the id of a {attribute.type}")


def _article(kind: str) -> str:
    return {"int": "a number", "float": "a number", "bool": "true or false"}.get(kind, f"a {kind}")


def _check(drafts: dict[Reference, _Draft], store: Store, domain: Domain) -> Iterator[Fault]:
    """Hold the drafts against each other and against what the store has already."""
    id_parts = {type_name(model): model.id_parts for model in domain.models}
    for reference, draft in drafts.items():
        if store.find(reference):
            message = f"`{reference}` is in the store already; an id is used once"
            yield Fault(draft.place, "duplicate_id", message)
        entity_type = domain.schema.types[reference.type]
        for name, place in draft.places.items():
            attribute = entity_type.attributes[name]
            if attribute.type not in SCALARS:
                yield from _check_references(draft, attribute, place, drafts, store)
        parts = [_follow(draft, path, drafts, store, domain) for path in id_parts[reference.type]]
        right = "/".join(str(part) for part in parts)
        if draft.complete and parts and None not in parts and right != reference.id:
            message = f"the id of this {reference.type} must be `{right}`, after what it holds"
            yield Fault(draft.place, "wrong_id", message)


def _check_references(
    draft: _Draft,
    attribute: Attribute,
    place: Place,
    drafts: dict[Reference, _Draft],
    store: Store,
) -> Iterator[Fault]:
    value = draft.row.values[attribute.name]
    for entity_id in value if isinstance(value, tuple) else (value,):
        if entity_id is None:
            continue
        target = Reference(attribute.type, entity_id)
        if target in drafts or store.find(target):
            continue
        known = [each.id for each in drafts if each.type == attribute.type]
        message = f"there is no {attribute.type} `{entity_id}`; {suggest(entity_id, known)}"
        yield Fault(place, "dangling_reference", message)


def _follow(
    draft: _Draft,
    path: str,
    drafts: dict[Reference, _Draft],
    store: Store,
    domain: Domain,
) -> Any:
    """Read a dotted path from a draft on; None where it leads nowhere."""
    row: Row | None = draft.row
    value = None
    for name in path.split("."):
        if row is None:
            return None
        value = row.values.get(name)
        target = domain.schema.types[row.reference.type].attributes[name].type
        next_reference = Reference(target, str(value))
        found = drafts.get(next_reference)
        row = found.row if found else store.find(next_reference)
    return value


def _store(
    drafts: dict[Reference, _Draft], store: Store, domain: Domain, *, blame_all: bool
) -> Iterator[Fault]:
    """Store what is complete, so that broken promises are found along with everything else.

    When other faults are known (`blame_all` is false), a refusal that is no promise of the domain
    is their consequence and is not told.
    """
    order = {type_name(model): index for index, model in enumerate(domain.models)}
    promises = {promise.code for promise in domain.promises}
    for draft in sorted(drafts.values(), key=lambda each: order[each.row.reference.type]):
        if not draft.complete:
            continue
        try:
            store.insert(draft.row)
        except BrokenPromiseError as error:
            for fault in error.faults:
                if blame_all or fault.code in promises:
                    yield Fault(draft.place, fault.code, fault.message)
