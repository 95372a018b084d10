"""Fixture files: entities as YAML, checked whole before any of them is stored."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from authz_service.document import find_files
from authz_service.errors import (
    DocumentError,
    Fault,
    FixtureError,
    quote,
    suggest,
)
from authz_service.store.database import BrokenPromiseError
from authz_service.store.draft import DraftReader
from authz_service.store.integrity import Integrity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain
    from authz_service.store.draft import Draft
    from authz_service.store.entity import Reference, Row
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
    return _load(reader, writer, domain)


def load_entities(document: Value, writer: Writer, domain: Domain) -> int:
    """Put entities into the store that stand in another file, written as in a fixture; as above.

    Arguments:
        document: where they stand.
        writer: as above.
        domain: as above.
    """
    reader = DraftReader(domain.schema)
    reader.read_document(document)
    return _load(reader, writer, domain)


def _load(reader: DraftReader, writer: Writer, domain: Domain) -> int:
    """Store what was read, if nothing is wrong with it."""
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
        self._integrity = Integrity(domain, self._find)
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
        for name, target in self._integrity.find_dangling(draft.row):
            nearest = suggest(target.id, self._ids.get(target.type, ()))
            message = f"there is no {target.type} {quote(target.id)}{nearest}"
            yield Fault(draft.places[name], "dangling_reference", message)

    def _check_id(self, draft: Draft) -> Iterator[Fault]:
        right = self._integrity.find_right_id(draft.row)
        if right is not None:
            kind = draft.row.reference.type
            message = f"the id of this {kind} must be `{right}`, after what it holds"
            yield Fault(draft.place, "wrong_id", message)

    def _find(self, reference: Reference) -> Row | None:
        """Find an entity among what is on its way in, and then in the store."""
        draft = self._drafts.get(reference)
        return draft.row if draft else self._store.find(reference)


def _store(
    drafts: dict[Reference, Draft], writer: Writer, domain: Domain, *, blame_all: bool
) -> Iterator[Fault]:
    """Store what is complete, so that broken promises are found along with everything else.

    When other faults are known (`blame_all` is false), a refusal that is no promise of the domain
    is their consequence and is not told.
    """
    promises = {promise.code for promise in domain.promises}
    integrity = Integrity(domain, writer.store.find)
    order: TopologicalSorter[Reference] = TopologicalSorter()
    for reference, draft in drafts.items():
        targets = (target for _, target in integrity.find_targets(draft.row))
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
