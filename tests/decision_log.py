"""A decision log in a folder of its own, and what is put into it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from authz_service.decision.entry import About, Kind
from authz_service.decision.log import DecisionLog, LogTerms
from authz_service.decision.scribe import Scribe, SegmentTerms
from authz_service.policy.engine import Finding
from authz_service.policy.request import Request
from authz_service.store.entity import Reference
from authz_service.store.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.decision.redaction import Redaction
    from authz_service.decision.sink import LineSink
    from authz_service.store.journal import Journal

NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
ABOUT: Final = About("sha256:" + "a" * 64, "compiled", ("copies",))
ALLOWED: Final = Finding((), ("rules.polar:3",), 7)
DENIED: Final = Finding(("not_permitted",), (), 7)
WAIT_SECONDS: Final = 30.0


def ask(number: int = 0, subject: str = "ann", **given: Any) -> Request:
    """Make a request about a record of a number."""
    values = {"channel": "web", "copies": None, **given}
    return Request(Reference("user", subject), "read", Reference("record", f"r{number}"), values)


@contextmanager
def open_log(  # noqa: PLR0913  # whatever a test is about
    url: str,
    *,
    strict: bool = False,
    most: int = 50_000,
    wait: float = WAIT_SECONDS,
    size: int = 2**30,
    age: timedelta = timedelta(days=1),
    kept: timedelta | None = None,
    clock: Callable[[], datetime] = lambda: NOON,
    redaction: Redaction | None = None,
    sink: LineSink | None = None,
) -> Iterator[DecisionLog]:
    """Open the log beside a store, and end it."""
    with opened_journal(url) as journal:
        journal.create_tables()
        terms = SegmentTerms(size, age, kept)
        scribe = Scribe(journal, secrets.randbits(63), terms, clock, sink)
        log = DecisionLog(scribe, LogTerms(strict, most, wait), clock, redaction)
        try:
            yield log
        finally:
            log.close()


@contextmanager
def opened_journal(url: str) -> Iterator[Journal]:
    """Open the journal beside a store, and close it."""
    journal = open_journal(url)
    try:
        yield journal
    finally:
        journal.close()


def note(
    log: DecisionLog,
    *requests: Request,
    finding: Finding = ALLOWED,
    client: str = "shop",
) -> None:
    """Note decisions one by one."""
    for each in requests:
        log.note(ABOUT, Kind.CHECK, log.count(), client, each, finding)


def fill(url: str, count: int, **options: Any) -> None:
    """Make a log of a number of entries, about `r0`, `r1` and so on."""
    requests = [ask(number) for number in range(count)]
    with open_log(url, **options) as log:
        log.note_many(ABOUT, log.count(), "shop", requests, [ALLOWED] * count)
