"""The feed as it is given out: change by change, each as JSON on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.store.lines import write_json
from authz_service.store.writer import find_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.database import Store
    from authz_service.store.writer import Change

# How many changes are in memory at once; each may be as large as an entity is.
_CHUNK: Final = 100


def read_feed(store: Store, after: int, last: int) -> Iterator[Change]:
    """Go through the feed, in its order.

    Arguments:
        store: whose.
        after: the revision behind which to begin.
        last: the revision with which to end.
    """
    while after < last:
        found = find_changes(store, after, min(_CHUNK, last - after))
        if not found:
            return
        yield from found
        after = found[-1].revision


def write_change(change: Change) -> bytes:
    """Write a change, without the end of the line."""
    cause = change.cause
    return write_json(
        {
            "revision": change.revision,
            "at": change.at,
            "type": change.reference.type,
            "id": change.reference.id,
            "before": change.before,
            "after": change.after,
            "who": cause.who,
            "client": cause.client,
            "action": cause.action,
            "reason": cause.reason,
        }
    )
