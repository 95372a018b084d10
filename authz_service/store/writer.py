"""Writing entities: each write has a revision, and a line in the feed that says what and why.

Revisions have no gaps, and the order of the revisions is the order in which they can be seen: who
writes holds the row that has the last one, so there is one writer at a time. A number that was not
committed is given again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from authz_service.store.entity import Reference, Row
from authz_service.store.lines import write_json
from authz_service.store.prepared import Prepared, slot
from authz_service.store.statement import Insertion
from authz_service.store.system import ChangeLine, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.store.database import Store

_FIND_REVISION: Final = Prepared(lambda: State.select(State.revision))
_HOLD_REVISION: Final = Prepared(lambda: State.select(State.revision).for_update())
_KEEP_REVISION: Final = Prepared(lambda: State.update(revision=slot("revision")))
_ADD_LINES: Final = Insertion(
    "INSERT INTO authz_change"
    " (revision, previous, at, type, entity_id, before, after, who, client, action, reason)",
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?",
)
_STATES: Final = ("before", "after")
# A revision, the one before of the same entity, what that was, which it is, and what it became.
_Written = tuple[int, int, Mapping[str, Any] | None, str, str, Mapping[str, Any] | None]
# What JSON has as Python has it.
_PLAIN: Final = frozenset({str, int, bool, NoneType})


@dataclass(frozen=True)
class Cause:
    """Why something is written.

    Arguments:
        client: which program wrote it, by the name of its key; empty for one without.
        who: the subject that asked for it, as `person/mary`; empty where there is none.
        action: what they did; empty for an entity that was written as it is.
        reason: in words, where somebody gave any.
    """

    client: str = ""
    who: str = ""
    action: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """One write of one entity.

    Arguments:
        revision: its number; each write has the one after that of the write before.
        at: when.
        reference: which entity.
        before: what it was, as JSON has it; None where it is new.
        after: what it is now; None where it is no more.
        cause: why.
        previous: the revision of the write that left `before`; 0 where there is no line of it.
    """

    revision: int
    at: datetime
    reference: Reference
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    cause: Cause
    previous: int = 0


class Writer:
    """Writes entities inside a transaction that holds the revision; nothing stays without its end.

    Arguments:
        store: where.
        cause: why.
        now: when.
        revision: of the last write before.

    Attributes:
        changes: what was written so far, one by one.
    """

    def __init__(self, store: Store, cause: Cause, now: datetime, revision: int) -> None:
        self.store = store
        self.cause = cause
        self.now = now
        self.changes: list[Change] = []
        self._first = revision

    @property
    def revision(self) -> int:
        """The revision of the last write."""
        return self._first + len(self.changes)

    def insert(self, row: Row) -> None:
        """Add an entity.

        Raises:
            BrokenPromiseError: when the database refuses; the transaction can go on without it.
        """
        whole = self._fill_in(row)
        self.store.insert(whole, self.revision + 1)
        self._note(row.reference, None, whole)

    def get(self, reference: Reference) -> Row:
        """Get an entity, with its lists.

        Raises:
            LookupError: when there is none.
        """
        row = self.store.find_whole(reference)
        if row is None:
            raise LookupError(f"there is no {reference}")
        return row

    def update(self, reference: Reference, **values: Any) -> None:
        """Give an entity other values.

        Arguments:
            reference: which entity.
            values: those that become others.

        Raises:
            LookupError: when there is none.
            BrokenPromiseError: as above.
        """
        before = self.get(reference)
        after = Row(reference, {**before.values, **values})
        self.store.update(after, self.revision + 1)
        self._note(reference, before, after)

    def delete(self, reference: Reference) -> None:
        """Remove an entity.

        Raises:
            LookupError: when there is none.
            BrokenPromiseError: when others refer to it.
        """
        before = self.get(reference)
        self.store.delete(reference)
        self._note(reference, before, None)

    def forget(self) -> None:
        """Take back what was written, as the savepoint around it does."""
        self.changes.clear()

    def put(self, row: Row) -> bool:
        """Add an entity, or put it in the place of what is there: attributes and lists.

        Returns:
            whether it is new.

        Raises:
            BrokenPromiseError: as above.
        """
        before = self.store.find_whole(row.reference)
        if before is None:
            self.insert(row)
            return True
        after = self._fill_in(row)
        self.store.update(after, self.revision + 1)
        self._note(row.reference, before, after)
        return False

    def put_many(
        self, kind: str, entities: Mapping[str, Mapping[str, Any]], before: Mapping[str, Row]
    ) -> None:
        """Do the same with many entities of one type; call it in an attempt of the store.

        What is written in this way does not stand in `changes`.

        Arguments:
            kind: the type.
            entities: what they hold, by their ids; lists are sorted.
            before: what is there already, by its id.
        """
        fill_in, first = self.store.fill_in, self.revision + 1
        whole = [
            (revision, entity_id, fill_in(kind, values))
            for revision, (entity_id, values) in enumerate(entities.items(), start=first)
        ]
        self.store.insert_many(kind, [each for each in whole if each[1] not in before])
        self.store.update_many(kind, [each for each in whole if each[1] in before])
        self._add_lines(
            (revision, *_look_back(before.get(entity_id)), kind, entity_id, values)
            for revision, entity_id, values in whole
        )
        self._first += len(whole)

    def finish(self) -> None:
        """Add to the feed what was written one by one."""
        self._add_lines(
            (
                each.revision,
                each.previous,
                each.before,
                each.reference.type,
                each.reference.id,
                each.after,
            )
            for each in self.changes
        )

    def _add_lines(self, written: Iterable[_Written]) -> None:
        at, cause = ChangeLine.at.db_value(self.now), self.cause
        why = cause.who, cause.client, cause.action, cause.reason
        lines = [
            (revision, previous, at, kind, entity_id, _dump(before), _dump(after), *why)
            for revision, previous, before, kind, entity_id, after in written
        ]
        self.store.add(_ADD_LINES, lines)

    def _fill_in(self, row: Row) -> Row:
        return Row(row.reference, self.store.fill_in(row.reference.type, row.values))

    def _note(self, reference: Reference, before: Row | None, after: Row | None) -> None:
        old, new = (write_values(each.values) if each else None for each in (before, after))
        previous = before.revision if before else 0
        change = Change(self.revision + 1, self.now, reference, old, new, self.cause, previous)
        self.changes.append(change)


@contextmanager
def write(store: Store, cause: Cause, now: datetime) -> Iterator[Writer]:
    """Write in one transaction: everything, with its lines in the feed, or nothing.

    Arguments:
        store: where.
        cause: why.
        now: when.
    """
    with store.transaction():
        writer = Writer(store, cause, now, hold_revision(store))
        yield writer
        writer.finish()
        keep_revision(store, writer.revision)


def find_revision(store: Store) -> int:
    """Find the revision of the last write."""
    [(revision,)] = store.ask(_FIND_REVISION)
    return int(revision)


def hold_revision(store: Store) -> int:
    """Find the same in a transaction, and keep all others from writing until it ends."""
    [(revision,)] = store.ask(_FIND_REVISION if store.is_sqlite else _HOLD_REVISION)
    return int(revision)


def keep_revision(store: Store, revision: int) -> None:
    """Note the revision of the last write, in a transaction that holds the one before."""
    store.ask(_KEEP_REVISION, revision=revision)


def find_changes(store: Store, after: int, limit: int) -> list[Change]:
    """Read the feed, in its order.

    Arguments:
        store: whose.
        after: the revision behind which to begin.
        limit: how many changes at the most.
    """
    query = ChangeLine.select().where(ChangeLine.revision > after)
    lines = store.run(query.order_by(ChangeLine.revision).limit(limit).dicts())
    return [_read_line(each) for each in lines]


def write_time(time: datetime) -> str:
    """Write a time as JSON has it."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write the values of an entity as JSON has them."""
    return {
        name: value if type(value) in _PLAIN else _write_value(value)
        for name, value in values.items()
    }


def _look_back(before: Row | None) -> tuple[int, Mapping[str, Any] | None]:
    """Find the revision that an entity had, and what it was; nothing of a new one."""
    return (before.revision, before.values) if before else (0, None)


def _write_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_time(value)
    return sorted(value) if isinstance(value, tuple) else value


def _read_line(line: Mapping[str, Any]) -> Change:
    cause = Cause(line["client"], line["who"], line["action"], line["reason"])
    before, after = (None if line[name] is None else json.loads(line[name]) for name in _STATES)
    reference = Reference(line["type"], line["entity_id"])
    return Change(line["revision"], line["at"], reference, before, after, cause, line["previous"])


def _dump(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else write_json(values).decode()
