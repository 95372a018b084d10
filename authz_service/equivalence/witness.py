"""A world made real: rows that a database takes, and the question that is put to them."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, TypeVar

from authz_service.equivalence.small_stores import NAMES, Item, Link
from authz_service.equivalence.vocabulary import BEGINNING
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS
from authz_service.policy.clauses import ID
from authz_service.policy.request import Request
from authz_service.policy.symbols import NOW
from authz_service.store.database import BrokenPromiseError, open_store
from authz_service.store.entity import Reference, Row
from authz_service.store.integrity import Integrity
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from authz_service.equivalence.small_stores import Scope, Taken
    from authz_service.polar.schema import Attribute
    from authz_service.policy.engine import Engine
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


T = TypeVar("T")


@dataclass(frozen=True)
class Witness:
    """A store, and a question that is put to it.

    Arguments:
        rows: the entities, each after those that it refers to.
        request: the question.
        now: what time it is; None where it does not matter.
    """

    rows: tuple[Row, ...]
    request: Request
    now: datetime | None


def build_witness(scope: Scope, action: str, taken: Taken) -> Witness | None:
    """Build a store and its question; None where entities refer to themselves by way of others.

    Arguments:
        scope: of the store.
        action: of the question.
        taken: the options.
    """
    filler = _Filler(scope, taken)
    for reference in (scope.subject, scope.resource):
        filler.add(reference)
    for about, option in taken.items():
        if isinstance(about, Reference) and option is not None:
            if about.type in scope.cone.sight.walked:
                filler.add(about)
        elif isinstance(about, Link) and option:
            filler.add(about.here)
    try:
        rows = filler.sort()
    except CycleError:
        return None
    request = _build_request(scope, action, taken)._replace(
        subject=filler.rename(scope.subject), resource=filler.rename(scope.resource)
    )
    return Witness(rows, request, taken.get(NOW.name))


def _build_request(scope: Scope, action: str, taken: Taken) -> Request:
    schema = scope.cone.domain.schema
    given: dict[str, Any] = {
        name: [] if each.many else taken.get(name)
        for name, each in {**schema.context, **schema.parameters}.items()
    }
    for about, option in taken.items():
        if isinstance(about, Item) and option:
            given[about.given].append(about.value)
    supplied = {
        name: value
        for name, value in taken.items()
        if isinstance(name, str) and "." in name and value is not None
    }
    return Request(scope.subject, action, scope.resource, given, supplied)


class Trial:
    """A database of its own, in which a question is put to several engines, store after store.

    Arguments:
        domain: of the stores.
        engines: who is asked.
    """

    def __init__(self, domain: Domain, engines: Sequence[Engine]) -> None:
        self._engines = engines
        self._store = open_store(MEMORY, domain)
        with self._store.transaction():
            self._store.create_tables()

    def ask(self, witness: Witness) -> list[tuple[str, ...]] | None:
        """Find what each engine says; None where the database does not take the rows."""
        return self.put(
            witness,
            lambda store, now: [
                each.reasons(store, witness.request, now) for each in self._engines
            ],
        )

    def put(self, witness: Witness, look: Callable[[Store, datetime], T]) -> T | None:
        """Look at the store of a witness; None where the database does not take the rows.

        Arguments:
            witness: the rows, and what time it is.
            look: looks at the store, at that time.
        """
        now, stored = witness.now or BEGINNING, []
        with self._store.transaction():
            try:
                for row in witness.rows:
                    self._store.insert(row)
                    stored.append(row.reference)
                return look(self._store, now)
            except BrokenPromiseError:
                return None
            finally:
                for reference in reversed(stored):
                    self._store.delete(reference)

    def close(self) -> None:
        """Close the database."""
        self._store.close()


class _Filler:
    """Adds to the entities of a world what they must have, and what they refer to.

    Arguments:
        scope: of the world.
        taken: the options.
    """

    def __init__(self, scope: Scope, taken: Taken) -> None:
        self._domain = scope.cone.domain
        self._types = self._domain.schema.types
        self._taken = taken
        self._keys = {
            each.reference: each.key for beings in scope.beings.values() for each in beings
        }
        self._rows: dict[Reference, Row] = {}
        self._integrity = Integrity(self._domain, self._rows.get)
        self._renamed: dict[Reference, Reference] = {}

    def add(self, reference: Reference) -> None:
        """Add an entity, unless there is no table for it."""
        kind = self._types[reference.type]
        if reference in self._rows or not kind.stored:
            return
        values = {**self._keys.get(reference, {}), **(self._taken.get(reference) or {})}
        self._rows[reference] = Row(reference, values)
        for name, attribute in kind.attributes.items():
            if attribute.many and not attribute.derived:
                values[name] = self._find_linked(reference, name)
            elif not (attribute.optional or attribute.many or name == ID or name in values):
                values[name] = self._fill(reference, attribute)
        for _, target in list(self._integrity.find_targets(self._rows[reference])):
            self.add(target)

    def sort(self) -> tuple[Row, ...]:
        """Put what was added in an order in which it can be stored, under the right ids.

        Raises:
            CycleError: when there is no order.
        """
        if not self._rows:  # a fixture holds something
            self._find_any(next(name for name, each in self._types.items() if each.stored))
        order: TopologicalSorter[Reference] = TopologicalSorter()
        for reference, row in self._rows.items():
            targets = (target for _, target in self._integrity.find_targets(row))
            order.add(reference, *(each for each in targets if each != reference))
        found: dict[Reference, Row] = {}
        integrity = Integrity(self._domain, found.get)
        for reference in order.static_order():
            row = Row(reference, dict(self._rename_values(self._rows[reference])))
            right = integrity.find_right_id(row)
            if right is not None:
                self._renamed[reference] = Reference(reference.type, right)
                row = Row(self._renamed[reference], row.values)
            found[row.reference] = row
        return tuple(found.values())

    def rename(self, reference: Reference) -> Reference:
        """Find what an entity is called in the end."""
        return self._renamed.get(reference, reference)

    def _rename_values(self, row: Row) -> Iterator[tuple[str, Any]]:
        attributes = self._types[row.reference.type].attributes
        for name, value in row.values.items():
            kind = attributes[name].type
            if kind in SCALARS or value is None:
                yield name, value
            elif isinstance(value, tuple):
                yield name, tuple(self.rename(Reference(kind, each)).id for each in value)
            else:
                yield name, self.rename(Reference(kind, value)).id

    def _find_linked(self, reference: Reference, name: str) -> tuple[str, ...]:
        links = (each for each, option in self._taken.items() if isinstance(each, Link) and option)
        own = (each for each in links if each.here == reference and each.field[1] == name)
        return tuple(each.there.id for each in own)

    def _fill(self, reference: Reference, attribute: Attribute) -> Any:
        """Find a value that nobody looks at."""
        if attribute.type not in SCALARS:
            return self._find_any(attribute.type)
        if attribute.choices:
            return attribute.choices[0]
        plain = {BOOLEAN: False, INTEGER: len(self._rows), DATETIME: BEGINNING}
        return plain.get(attribute.type, reference.id)

    def _find_any(self, kind: str) -> str:
        """Find an entity of a type, or make one."""
        known = (each for each in (*self._rows, *self._keys) if each.type == kind)
        name = NAMES[0] if kind in self._domain.subjects else f"{kind}-1"
        found = next(known, Reference(kind, name))
        self.add(found)
        return found.id
