"""Fixture files: entities as YAML, checked whole before any of them is stored."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from authz_service.document import find_files
from authz_service.errors import (
    DocumentError,
    Fault,
    FixtureError,
    quote,
    suggest,
)
from authz_service.polar.schema import SCALARS
from authz_service.store.database import BrokenPromiseError
from authz_service.store.draft import DraftReader
from authz_service.store.entity import Reference, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from authz_service.polar.schema import Schema
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain
    from authz_service.store.draft import Draft
    from authz_service.store.entity import Row
    from authz_service.store.writer import Writer


def load_fixtures(paths: Iterable[Path], writer: Writer, domain: Domain) -> int:
    """Put the entities of fixture files into the store: all of them, or none.

    Arguments:
        paths: files, and folders that stand for the `.yaml` files in them.
        writer: writes the entities; its transaction must be rolled back by an error.
        domain: says which entities there are.

    Returns:
        how many entities were stored.

    Raises:
        FixtureError: with every fault of every file, each with its line and what to write instead.
    """
    reader = DraftReader(domain.schema)
    try:
        files = find_files(paths, below=False)
    except DocumentError as error:
        raise FixtureError(error.faults) from None
    for path in files:
        reader.read(path)
    checker = _Checker(reader.drafts, writer.store, domain)
    faults = [*reader.faults, *checker.check()]
    faults += _store(reader.drafts, writer, domain, blame_all=not faults)
    if faults:
        raise FixtureError(faults)
    return len(reader.drafts)


class _Checker:
    """Holds the drafts against each other and against what the store has already."""

    def __init__(self, drafts: dict[Reference, Draft], store: Store, domain: Domain) -> None:
        self._drafts = drafts
        self._store = store
        self._schema = domain.schema
        self._id_parts = {type_name(model): model.id_parts for model in domain.models}
        self._ids: dict[str, list[str]] = {}
        for each in drafts:
            self._ids.setdefault(each.type, []).append(each.id)

    def check(self) -> Iterator[Fault]:
        """Find what is wrong between entities; a draft with a fault is not complete any more."""
        for draft in self._drafts.values():
            found = [*self._check_new(draft), *self._check_references(draft)]
            if draft.complete and not found:
                found += self._check_id(draft)
            draft.complete = draft.complete and not found
            yield from found

    def _check_new(self, draft: Draft) -> Iterator[Fault]:
        reference = draft.row.reference
        if self._store.find(reference):
            message = f"`{reference}` is in the store already; an id is used once"
            yield Fault(draft.place, "duplicate_id", message)

    def _check_references(self, draft: Draft) -> Iterator[Fault]:
        for name, target in _targets(draft, self._schema):
            if target not in self._drafts and not self._store.find(target):
                nearest = suggest(target.id, self._ids.get(target.type, ()))
                message = f"there is no {target.type} {quote(target.id)}{nearest}"
                yield Fault(draft.places[name], "dangling_reference", message)

    def _check_id(self, draft: Draft) -> Iterator[Fault]:
        reference = draft.row.reference
        parts = [self._follow(draft.row, path) for path in self._id_parts[reference.type]]
        right = "/".join(str(part) for part in parts)
        if parts and None not in parts and right != reference.id:
            message = f"the id of this {reference.type} must be `{right}`, after what it holds"
            yield Fault(draft.place, "wrong_id", message)

    def _follow(self, start: Row, path: str) -> Any:
        """Read a dotted path from an entity on; None where it leads nowhere."""
        row: Row | None = start
        value = None
        for name in path.split("."):
            if row is None:
                return None
            value = row.values.get(name)
            target = Reference(
                self._schema.types[row.reference.type].attributes[name].type, str(value)
            )
            found = self._drafts.get(target)
            row = found.row if found else self._store.find(target)
        return value


def _targets(draft: Draft, schema: Schema) -> Iterator[tuple[str, Reference]]:
    """Find what a draft refers to, each with the attribute that says so."""
    attributes = schema.types[draft.row.reference.type].attributes
    for name, value in draft.row.values.items():
        if attributes[name].type in SCALARS:
            continue
        for entity_id in value if isinstance(value, tuple) else (value,):
            if entity_id is not None:
                yield name, Reference(attributes[name].type, entity_id)


def _store(
    drafts: dict[Reference, Draft], writer: Writer, domain: Domain, *, blame_all: bool
) -> Iterator[Fault]:
    """Store what is complete, so that broken promises are found along with everything else.

    When other faults are known (`blame_all` is false), a refusal that is no promise of the domain
    is their consequence and is not told.
    """
    promises = {promise.code for promise in domain.promises}
    order: TopologicalSorter[Reference] = TopologicalSorter()
    for reference, draft in drafts.items():
        targets = (target for _, target in _targets(draft, domain.schema))
        order.add(reference, *(target for target in targets if target != reference))
    try:
        references = list(order.static_order())
    except CycleError as error:
        first: Reference = error.args[1][0]
        message = f"`{first}` refers to itself by way of others; leave one of the references out"
        yield Fault(drafts[first].place, "circular_reference", message)
        return
    for draft in (drafts[reference] for reference in references if reference in drafts):
        if not draft.complete:
            continue
        try:
            writer.insert(draft.row)
        except BrokenPromiseError as error:
            for fault in error.faults:
                if blame_all or fault.code in promises:
                    yield Fault(draft.place, fault.code, fault.message)
