"""An import: entities as lines of JSON, put into the store in their order, all of them or none.

An entity that is there already is replaced. Lines that follow each other and are about one type are
written at once. Where the database refuses those, or something about them is odd, they are written
one by one, which tells what is wrong with which.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Any, Final

from authz_service.errors import Fault, Place, RefusedEntitiesError, quote
from authz_service.store.database import BrokenPromiseError
from authz_service.store.entity import Reference, Row
from authz_service.store.incoming import MOST_FAULTS, EntityReader
from authz_service.store.integrity import Integrity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from authz_service.store.domain import Domain
    from authz_service.store.incoming import Entry
    from authz_service.store.writer import Writer

# Bytes that are read at once, to the end of the line; about a thousand lines.
_PIECE: Final = 128 * 1_024
# Bytes; the longest line is an entity with a very long list.
_LONGEST_LINE: Final = 16 * 1_024 * 1_024


def tell_nobody(_count: int) -> None:
    """Say nothing about how far it is."""


def import_entities(
    file: IO[bytes],
    name: str,
    writer: Writer,
    domain: Domain,
    tell: Callable[[int], None] = tell_nobody,
) -> int:
    """Put the entities of a file into the store: all of them, or none.

    Arguments:
        file: lines of JSON; empty lines are passed over.
        name: stands for the file in the places of faults.
        writer: writes the entities; its transaction must be rolled back by an error.
        domain: says which entities there are.
        tell: is told how many bytes were read since it was told before.

    Returns:
        how many entities were written.

    Raises:
        RefusedEntitiesError: with the first hundred faults, each with its line.
    """
    running = _Import(name, writer, domain)
    while piece := file.read(_PIECE):
        piece += file.readline(_LONGEST_LINE + 1)
        running.add(piece)
        tell(len(piece))
    running.finish()
    return running.count


class _Import:
    """An import that is going on: lines in, rows out, at most a piece of them in memory."""

    def __init__(self, name: str, writer: Writer, domain: Domain) -> None:
        self.count = 0
        self._name = name
        self._writer = writer
        self._store = writer.store
        self._before = writer.revision
        self._reader = EntityReader(domain.schema)
        self._integrity = Integrity(domain, self._find)
        self._types = domain.schema.types
        self._near: Mapping[Reference, Row] = {}
        self._lines = 0

    def add(self, piece: bytes) -> None:
        """Write the entities of some whole lines, those of one type that follow each other at once.

        Raises:
            RefusedEntitiesError: when a line is too long, or very much is wrong.
        """
        lines = piece.removesuffix(b"\n").split(b"\n")
        first = self._lines + 1
        self._lines += len(lines)
        if len(lines[-1]) > _LONGEST_LINE:
            message = f"is longer than {_LONGEST_LINE // 1_024**2} MiB; what follows was not read"
            place = Place(self._name, self._lines)
            self._reader.blame(place, "line_too_long", f"the line {message}")
            self._refuse()
        entries = self._reader.read_lines(lines, self._name, first)
        for kind, run in groupby(entries, key=itemgetter(1)):
            self._write_run(kind, list(run))
        if len(self._reader.faults) >= MOST_FAULTS:
            self._refuse()

    def finish(self) -> None:
        """Tell what was wrong.

        Raises:
            RefusedEntitiesError: when anything was.
        """
        if self._reader.faults:
            self._refuse()

    def _write_run(self, kind: str, run: list[Entry]) -> None:
        self.count += len(run)
        entities = {entity_id: values for _, _, entity_id, values in run}
        if len(entities) == len(run) and self._write_at_once(kind, entities):
            return
        for number, _, entity_id, values in run:
            row = Row(Reference(kind, entity_id), values)
            faults = list(self._write(Place(self._name, number), row))
            if faults:
                self._reader.failed.add(row.reference)
                self._reader.faults += faults
            if len(self._reader.faults) >= MOST_FAULTS:
                self._refuse()

    def _write_at_once(self, kind: str, entities: Mapping[str, Mapping[str, Any]]) -> bool:
        """Write entities of one type; false where nothing was written."""
        found = self._store.find_many(kind, list(entities))
        self._near = self._find_near(kind, entities.values())
        is_usual = self._integrity.are_ids_right(kind, entities) and all(
            row.revision <= self._before for row in found.values()
        )
        self._near = {}
        if not is_usual:
            return False
        try:
            with self._store.attempt(Reference(kind, next(iter(entities)))):
                self._writer.put_many(kind, entities, found)
        except BrokenPromiseError:
            return False
        return True

    def _write(self, place: Place, row: Row) -> Iterator[Fault]:
        """Write a row, or tell all that is wrong with it."""
        reference = row.reference
        known = self._store.find(reference)
        if reference in self._reader.failed or (known and known.revision > self._before):
            message = f"{quote(str(reference))} stands in an earlier line already"
            yield Fault(place, "duplicate_id", f"{message}; an id is used once")
            return
        right = self._integrity.find_right_id(row)
        if right is not None:
            message = f"the id of this {reference.type} must be {quote(right)}, after what it holds"
            yield Fault(place, "wrong_id", message)
            return
        dangling = list(self._integrity.find_dangling(row))
        for name, target in dangling:
            if target not in self._reader.failed:  # what is wrong with that one is told
                yield Fault(place, "dangling_reference", _lacks(name, target))
        if dangling:
            self._reader.failed.add(reference)
            return
        try:
            self._writer.put(row)
        except BrokenPromiseError as error:
            yield from (Fault(place, each.code, each.message) for each in error.faults)

    def _find(self, reference: Reference) -> Row | None:
        return self._near.get(reference) or self._store.find(reference)

    def _find_near(
        self, kind: str, entities: Collection[Mapping[str, Any]]
    ) -> Mapping[Reference, Row]:
        """Find at once what leads from entities to the parts of their ids."""
        near: dict[Reference, Row] = {}
        for name in self._integrity.find_hops(kind):
            target = self._types[kind].attributes[name].type
            ids = {values[name] for values in entities if values.get(name) is not None}
            for found in self._store.find_many(target, sorted(ids)).values():
                near[found.reference] = found
        return near

    def _refuse(self) -> None:
        faults = sorted(self._reader.faults)[:MOST_FAULTS]
        raise RefusedEntitiesError(faults, {"faults": [_write_fault(each) for each in faults]})


def _write_fault(fault: Fault) -> dict[str, Any]:
    return {"line": fault.where.line, "code": fault.code, "message": fault.message}


def _lacks(name: str, target: Reference) -> str:
    return (
        f"`{name}` refers to {quote(str(target))}, which is neither in the store nor in an earlier"
        " line; put an entity behind those that it refers to"
    )
