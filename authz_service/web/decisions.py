"""The decision log over HTTP, in pages of lines of JSON."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from flask import Response, request

from authz_service import storage
from authz_service.decision.entry import write_entry
from authz_service.decision.log_settings import build_log_redaction
from authz_service.decision.lookup import Cursor, Wanted, read_page
from authz_service.document import parse_time
from authz_service.errors import LogError, NotFoundError, RequestError
from authz_service.store.entity import Reference
from authz_service.web.body import LINES
from authz_service.web.changes import NEXT_AFTER, read_number

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Blueprint

    from authz_service.assembly import Service
    from authz_service.decision.redaction import Redaction

DECISIONS: Final = "/v1/decisions"

_ANSWERS: Final = {"allow": True, "deny": False}


def add_decisions(api: Blueprint, service: Service) -> None:
    """Add the endpoint of the decision log."""
    settings, most = service.settings, service.settings.max_page
    redaction = build_log_redaction(settings, service.domain)

    # who may: the scope `audit`
    @api.get(DECISIONS)
    def decisions() -> Response:
        wanted = _read_wanted(redaction)
        after = Cursor.parse(request.args.get("after", str(Cursor())))
        limit = min(read_number("limit", request.args.get("limit"), most), most)
        try:
            journal = storage.open_existing_journal(settings)
        except LogError as error:
            raise NotFoundError(error.faults) from None
        # a connection of its own: the thread of the log has another
        with closing(journal):
            entries, end = read_page(journal, wanted, after, limit)
        kind = request.accept_mimetypes.best_match(LINES, LINES[0])
        lines = b"".join(write_entry(each) + b"\n" for each in entries)
        response = Response(lines, mimetype=kind)
        response.headers[NEXT_AFTER] = str(end)
        response.cache_control.no_store = True
        return response


def _read_wanted(redaction: Redaction | None) -> Wanted:
    """Read which entries are looked for.

    Raises:
        RequestError: when a filter cannot be read.
    """
    arguments = request.args
    decision = arguments.get("decision")
    if decision is not None and decision not in _ANSWERS:
        raise _refuse("decision", "`allow` or `deny`")
    return Wanted(
        who=_read_reference("who"),
        on=_read_reference("on"),
        action=arguments.get("action"),
        since=_read_time("since"),
        until=_read_time("until"),
        allowed=None if decision is None else _ANSWERS[decision],
        reason=arguments.get("reason"),
        client=arguments.get("client"),
        redaction=redaction,
    )


def _read_reference(name: str) -> Reference | None:
    text = request.args.get(name)
    try:
        return None if text is None else Reference.parse(text)
    except ValueError:
        raise _refuse(name, "TYPE/ID, as in `person/mary`") from None


def _read_time(name: str) -> datetime | None:
    text = request.args.get(name)
    try:
        return None if text is None else parse_time(text)
    except ValueError:
        raise _refuse(name, "a time such as `2026-01-05T09:00:00Z`") from None


def _refuse(name: str, wanted: str) -> RequestError:
    return RequestError.at(name, "invalid_request", f"`{name}` must be {wanted}")
