"""The feed over HTTP, in pages that are streamed: lines of JSON, or server-sent events.

A page ends where the feed ends at the moment; nobody is kept waiting for more, for the thread that
waits would answer nobody else. Who reads events is told to come again after a second.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import Response, request

from authz_service.errors import RequestError, RevisionError
from authz_service.store.feed import read_feed, write_change
from authz_service.store.writer import find_revision
from authz_service.web.body import LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Blueprint

    from authz_service.assembly import Service
    from authz_service.store.database import Store

CHANGES: Final = "/v1/changes"
NEXT_AFTER: Final = "X-Next-After"
REVISION: Final = "X-Revision"
EVENTS: Final = "text/event-stream"
LAST_EVENT_ID: Final = "Last-Event-ID"

# Milliseconds after which who reads events asks again.
_RETRY: Final = 1_000
_DIGITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


def add_changes(api: Blueprint, service: Service) -> None:
    """Add the endpoint of the feed."""
    store, most = service.store, service.settings.max_page

    # who may: the scope `entities:read`
    @api.get(CHANGES)
    def changes() -> Response:
        after = read_number("after", request.args.get("after"), 0)
        after = read_number(LAST_EVENT_ID, request.headers.get(LAST_EVENT_ID), after)
        limit = min(read_number("limit", request.args.get("limit"), most), most)
        revision = find_revision(store)
        if after > revision:
            message = f"the store has reached revision {revision} only"
            raise RevisionError.at("after", "revision_not_reached", message)
        last = min(after + limit, revision)  # revisions have no gaps
        kind = request.accept_mimetypes.best_match([*LINES, EVENTS], LINES[0])
        write = _write_events if kind == EVENTS else _write_lines
        response = Response(write(store, after, last), mimetype=kind)
        response.headers[NEXT_AFTER] = str(last)
        response.headers[REVISION] = str(revision)
        response.cache_control.no_store = True
        return response


def read_number(name: str, text: str | None, default: int) -> int:
    """Read a parameter that is a whole number.

    Raises:
        RequestError: when it is none.
    """
    if text is None:
        return default
    if not _DIGITS.fullmatch(text):
        message = f"`{name}` must be a whole number of at least 0"
        raise RequestError.at(name, "invalid_request", message)
    return int(text)


def _write_lines(store: Store, after: int, last: int) -> Iterator[bytes]:
    for change in read_feed(store, after, last):
        yield write_change(change) + b"\n"


def _write_events(store: Store, after: int, last: int) -> Iterator[bytes]:
    yield b"retry: %d\n\n" % _RETRY
    for change in read_feed(store, after, last):
        yield b"id: %d\ndata: %s\n\n" % (change.revision, write_change(change))
