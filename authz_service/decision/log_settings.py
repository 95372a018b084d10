"""The log of decisions that the settings describe."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authz_service.decision.log import DecisionLog, LogTerms
from authz_service.decision.redaction import build_redaction
from authz_service.decision.scribe import Scribe, SegmentTerms
from authz_service.decision.sink import LineSink
from authz_service.store.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from authz_service.decision.redaction import Redaction
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain

# What PostgreSQL locks is a number of 64 bits, of which one is the sign.
_WRITER_BITS: Final = 63


def build_log(
    settings: Settings, domain: Domain, clock: Callable[[], datetime]
) -> DecisionLog | None:
    """Build the log of this process beside the store of the settings; None where it is off.

    Raises:
        SettingError: when pseudonyms are wanted, and there is no key for them.
        StoreError: when its database, or the file for its lines, cannot be used.
    """
    if settings.log == "off":
        return None
    redaction = build_log_redaction(settings, domain)
    journal = open_journal(settings.database)
    journal.create_tables()
    journal.close()
    kept = timedelta(days=settings.log_keep) if settings.log_keep else None
    age = timedelta(hours=settings.log_segment_age)
    scribe = Scribe(
        journal=journal,
        writer=secrets.randbits(_WRITER_BITS),
        terms=SegmentTerms(settings.log_segment_size, age, kept),
        clock=clock,
        sink=LineSink(settings.log_lines) if settings.log_lines else None,
    )
    wait = settings.log_wait / 1_000
    terms = LogTerms(settings.log == "strict", settings.log_buffer, wait)
    return DecisionLog(scribe, terms, clock, redaction)


def build_log_redaction(settings: Settings, domain: Domain) -> Redaction | None:
    """Build what is kept out of the log; None where nothing is.

    Raises:
        SettingError: as above.
    """
    return build_redaction(settings.log_drop, settings.log_hash, settings.log_key, domain.schema)
