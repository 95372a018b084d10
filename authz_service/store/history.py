"""Moments to which a store can go back, and what was there then."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.errors import HistoryError, NotFoundError, quote
from authz_service.store.migration import STORE_PART
from authz_service.store.system import Applied, ChangeLine
from authz_service.store.writer import find_revision, write_time

if TYPE_CHECKING:
    from datetime import datetime

    from authz_service.store.database import Store
    from authz_service.store.entity import Reference

AT: Final = "context.at"

# The step that brought the feed: at revision 0 a store is as it was left by that.
_BEGINNING: Final = 1


@dataclass(frozen=True)
class Moment:
    """A moment of a store.

    Arguments:
        revision: of the last write until then.
        at: what time it was.
    """

    revision: int
    at: datetime


def find_moment(store: Store, at: int | datetime, now: datetime) -> Moment:
    """Find a moment by its revision, or by its time.

    A revision stands for the time at which it was written, a time for the last revision that was
    written until then.

    Arguments:
        store: whose.
        at: the revision, or the time with its zone.
        now: what time it is.

    Raises:
        HistoryError: when the moment is still to come, or history does not reach back to it.
    """
    if isinstance(at, int):
        return Moment(at, _get_time(store, at))
    if at > now:
        message = f"{write_time(at)} is still to come; `--now` moves the clock alone"
        raise _refuse("time_to_come", message)
    first = _find_extreme(store, peewee.fn.MIN, ChangeLine.revision > 0)
    if first is None or at < _get_time(store, first):
        beginning = _get_time(store, 0)
        if at < beginning:
            message = (
                f"history begins at {write_time(beginning)}, with revision 0; name a later time"
            )
            raise _refuse("before_history", message)
        return Moment(0, at)
    revisions = range(first, find_revision(store) + 1)
    count = bisect_right(revisions, at, key=lambda revision: _get_time(store, revision))
    return Moment(revisions[count - 1], at)


def refuse_absent(store: Store, moment: Moment, past: Store, reference: Reference) -> None:
    """Refuse a question about an entity that was not there at a moment.

    Arguments:
        store: as it is now.
        moment: which one.
        past: the store as it was then.
        reference: the entity; of a type that is not stored it is always there.

    Raises:
        NotFoundError: says when it came, or went.
    """
    kind = store.domain.schema.types.get(reference.type)
    if kind is None or not kind.stored or past.find(reference):
        return
    is_it = (ChangeLine.type == reference.type) & (ChangeLine.entity_id == reference.id)
    later = is_it & (ChangeLine.revision > moment.revision)
    came = _find_extreme(store, peewee.fn.MIN, later)
    went = _find_extreme(store, peewee.fn.MAX, is_it)
    if came:
        hint = f"it came with revision {came}"
    else:
        hint = f"it went with revision {went}" if went else "nor at any other that is kept"
    message = f"there was no {quote(str(reference))} at revision {moment.revision}; {hint}"
    raise NotFoundError.at(AT, "not_there_then", message)


def _get_time(store: Store, revision: int) -> datetime:
    """Get the time at which a revision was written."""
    query: peewee.BaseQuery = ChangeLine.select(ChangeLine.at).where(
        ChangeLine.revision == revision
    )
    if revision == 0:
        is_it = (Applied.part == STORE_PART) & (Applied.number == _BEGINNING)
        query = Applied.select(Applied.at).where(is_it)
    found: list[datetime] = [at for (at,) in store.run(query.tuples())]
    if found:
        return found[0]
    last = find_revision(store)
    if revision > last:
        message = f"the store has reached revision {last} only; name one that it has"
        raise _refuse("revision_not_reached", message)
    message = f"the feed has no line of revision {revision}; name one that `authz changes` prints"
    raise _refuse("before_history", message)


def _find_extreme(store: Store, extreme: Any, wanted: peewee.Expression) -> int | None:
    query = ChangeLine.select(extreme(ChangeLine.revision)).where(wanted)
    found: list[int | None] = [revision for (revision,) in store.run(query.tuples())]
    return found[0]


def _refuse(code: str, message: str) -> HistoryError:
    return HistoryError.at(AT, code, message)
