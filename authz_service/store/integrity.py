"""How an entity agrees with others: what it refers to is there, and its id says what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz_service.polar.schema import SCALARS
from authz_service.store.entity import Reference, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authz_service.store.domain import Domain
    from authz_service.store.entity import Row


class Integrity:
    """Holds entities against others.

    Arguments:
        domain: says which entities there are, and of what their ids are made.
        find: finds another entity; None where there is none.
    """

    def __init__(self, domain: Domain, find: Callable[[Reference], Row | None]) -> None:
        self._find = find
        self._types = domain.schema.types
        self._id_parts = {
            type_name(model): [path.split(".") for path in model.id_parts]
            for model in domain.models
        }

    def find_targets(self, row: Row) -> Iterator[tuple[str, Reference]]:
        """Find what an entity refers to, each with the attribute that says so."""
        attributes = self._types[row.reference.type].attributes
        for name, value in row.values.items():
            kind = attributes[name].type
            if kind in SCALARS:
                continue
            for entity_id in value if isinstance(value, tuple) else (value,):
                if entity_id is not None:
                    yield name, Reference(kind, entity_id)

    def find_dangling(self, row: Row) -> Iterator[tuple[str, Reference]]:
        """Find the same as far as it is not there; an entity may refer to itself."""
        for name, target in self.find_targets(row):
            if target != row.reference and self._find(target) is None:
                yield name, target

    def find_right_id(self, row: Row) -> str | None:
        """Find which id an entity must have instead; None where its own is right.

        Where a part of the id is told by nothing that is there, nobody can say.
        """
        right = self._write_id(row.reference.type, row.values)
        return None if right == row.reference.id else right

    def are_ids_right(self, kind: str, entities: Mapping[str, Mapping[str, Any]]) -> bool:
        """Tell the same of many entities of one type, which are values by id."""
        return not self._id_parts[kind] or all(
            self._write_id(kind, values) in {None, entity_id}
            for entity_id, values in entities.items()
        )

    def find_hops(self, kind: str) -> list[str]:
        """Find the attributes that lead from entities of a type to parts of their ids."""
        return [path[0] for path in self._id_parts[kind] if len(path) > 1]

    def _write_id(self, kind: str, values: Mapping[str, Any]) -> str | None:
        """Write the id after what an entity holds; None where that does not tell it."""
        parts = [self._follow(kind, values, path) for path in self._id_parts[kind]]
        return "/".join(map(str, parts)) if parts and None not in parts else None

    def _follow(self, kind: str, values: Mapping[str, Any], path: list[str]) -> Any:
        """Read a path from an entity on; None where it leads nowhere."""
        for name in path[:-1]:
            kind, value = self._types[kind].attributes[name].type, values.get(name)
            found = None if value is None else self._find(Reference(kind, value))
            if found is None:
                return None
            values = found.values
        return values.get(path[-1])
