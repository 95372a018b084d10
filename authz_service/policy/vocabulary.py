"""What can be supposed of entities, and of what a caller says."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import peewee

from authz_service.polar.schema import BOOLEAN, SCALARS, STRING, Attribute
from authz_service.policy.clauses import ID
from authz_service.policy.situation import NO_ID, is_entity
from authz_service.store.entity import REVISION, Reference, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.policy.situation import Key
    from authz_service.store.domain import Domain
    from authz_service.store.entity import Entity


class Vocabulary:
    """Tells what may be otherwise, and what a new entity has of itself.

    Arguments:
        domain: whose entities.
    """

    def __init__(self, domain: Domain) -> None:
        self._types = domain.schema.types
        self._said = {**domain.schema.context, **domain.schema.parameters}
        self._id_parts = {
            type_name(model): frozenset(path.split(".")[0] for path in model.id_parts)
            for model in domain.models
        }
        self._copied: defaultdict[str, set[str]] = defaultdict(set)
        self._referred: set[str] = set()
        self._usual: dict[str, Mapping[str, Any]] = {}
        self._choices: dict[str, Mapping[str, tuple[Any, ...]]] = {}
        for model in domain.models:
            self._look_at(model)

    def _look_at(self, model: type[Entity]) -> None:
        fields = model._meta.fields  # noqa: SLF001  # peewee's interface
        for path in model.copies.values():
            reference, _, name = path.partition(".")
            self._copied[type_name(fields[reference].rel_model)].add(name)
        self._referred |= {
            type_name(each.rel_model)
            for each in fields.values()
            if isinstance(each, peewee.ForeignKeyField)
        }
        kind = type_name(model)
        self._usual[kind] = {name: fields[name].default for name in fields} | {REVISION: 0}
        self._choices[kind] = {
            name: each.choices or (True, False)
            for name, each in self._types[kind].attributes.items()
            if name in fields and not each.optional and (each.choices or each.type == BOOLEAN)
        }

    def find_id_parts(self, kind: str) -> frozenset[str]:
        """Find the attributes of which the id of an entity is made; none if it is its own."""
        return self._id_parts[kind]

    def find_usual(self, kind: str) -> Mapping[str, Any]:
        """Find what a new entity has if nothing is said of it."""
        return self._usual[kind]

    def find_choices(self, kind: str) -> Mapping[str, tuple[Any, ...]]:
        """Find what has to be said of a new entity, and is one of a few values."""
        return self._choices[kind]

    def may_change(self, key: Key, name: str) -> bool:
        """Tell whether an attribute of an entity that is there could have another value."""
        kind = key[0]
        return (
            is_entity(key)
            and name != ID
            and name in self._usual[kind]
            and name not in self._id_parts[kind]
            and name not in self._copied[kind]
        )

    def may_go(self, key: Key) -> bool:
        """Tell whether an entity could be removed: nothing is of a type that refers to it."""
        return is_entity(key) and key[0] not in self._referred

    def get_attribute(self, kind: str, name: str) -> Attribute:
        """Get what is known of an attribute; an id is a text."""
        return self._types[kind].attributes.get(name) or Attribute(name, STRING)

    def find_type(self, kind: str, name: str) -> str:
        """Find the type of an attribute."""
        return self.get_attribute(kind, name).type

    def present(self, kind: str, name: str, value: Any) -> Any:
        """Show a value as others can read it, be it the id of a new entity.

        SQLite has numbers for what is true and false.
        """
        if isinstance(value, str):
            return value.removeprefix(NO_ID)
        is_truth = value is not None and self.find_type(kind, name) == BOOLEAN
        return bool(value) if is_truth else value

    def find_referred(self, kind: str, row: Mapping[str, Any]) -> dict[str, Reference]:
        """Find what an entity refers to, by attribute."""
        found = {}
        for name, attribute in self._types[kind].attributes.items():
            value = row.get(name)
            if not attribute.many and attribute.type not in SCALARS and value is not None:
                found[name] = Reference(attribute.type, value.removeprefix(NO_ID))
        return found

    def find_said(self, name: str) -> Attribute | None:
        """Find what a caller can say, by its name; lists are left alone."""
        found = self._said.get(name)
        return None if found is None or found.many else found

    def get_said(self, name: str) -> Attribute:
        """Get the same."""
        return self._said[name]
