"""The decision log in a database: segments, each written by one process, and blocks of entries.

Beside a store in a SQLite file the log is a file of its own; in PostgreSQL it is two tables. A
block holds some hundred entries as compressed lines. A segment that was opened is there for good,
with its closing digest; its blocks are dropped when they are old.

Before entries are taken into memory a segment says on the disk up to how many there may be. So it
is known of a process that was killed how many entries may be missing, and whoever opens a segment
next notes it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import peewee

from authz_service.errors import StoreError
from authz_service.store.chain import close_chain, follow_chain, open_chain
from authz_service.store.entity import InstantField
from authz_service.store.mishap import explained, is_sqlite, name_database
from authz_service.store.ownership import FileOwnership, ServerOwnership
from authz_service.store.url import build_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from authz_service.store.ownership import Ownership

_SQLITE: Final = "sqlite:///"
# One who writes at a time, so that blocks are seen in the order of their ids; any number will do.
_TURN: Final = 7_238_911_400_021


class SegmentRow(peewee.Model):
    """A segment; `promised` is up to how many entries there may be, while it is open."""

    id = peewee.BigIntegerField(primary_key=True)
    writer = peewee.BigIntegerField()
    opened = InstantField()
    opening = peewee.TextField()
    entries = peewee.BigIntegerField(default=0)
    promised = peewee.BigIntegerField()
    last = peewee.TextField()
    closed = InstantField(null=True)
    closing = peewee.TextField(null=True)
    missing = peewee.BigIntegerField(default=0)
    dropped = InstantField(null=True)

    class Meta:
        """The name of the table."""

        table_name = "authz_log_segment"


class BlockRow(peewee.Model):
    """Some entries of a segment, in their order, with what is needed to find and to verify them."""

    id = peewee.BigAutoField()
    segment = peewee.BigIntegerField(index=True)
    first = peewee.BigIntegerField()
    entries = peewee.IntegerField()
    since = InstantField()
    until = InstantField(index=True)
    checks = peewee.BlobField()
    digest = peewee.TextField()
    data = peewee.BlobField()

    class Meta:
        """The name of the table."""

        table_name = "authz_log_block"


class Block(NamedTuple):
    """Some entries of a segment, as they are read.

    Arguments:
        id: its place among all blocks.
        segment: the number of its segment.
        first: the number of its first entry in the segment.
        entries: how many it has.
        since: the time of its earliest entry.
        until: the time of its latest.
        checks: four bytes for each entry.
        digest: of the chain behind its last.
        data: all lines, what they have in common first, compressed.
    """

    id: int
    segment: int
    first: int
    entries: int
    since: datetime
    until: datetime
    checks: bytes
    digest: str
    data: bytes


class Lines(NamedTuple):
    """Entries that are to become a block.

    Arguments:
        about: what they have in common, a line.
        lines: a line each, with its end.
        since: the time of the earliest.
        until: the time of the latest.
        data: all lines, `about` first, compressed.
    """

    about: bytes
    lines: Sequence[bytes]
    since: datetime
    until: datetime
    data: bytes


class Span(NamedTuple):
    """Which blocks are wanted.

    Arguments:
        after: behind this id.
        before: before this id.
        since: with an entry of this time or later, or
        until: with one from before this time; None for whatever it may be, as above.
        newest_first: the last written block first.
    """

    after: int | None = None
    before: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    newest_first: bool = False


class Segment(NamedTuple):
    """An open segment, as the one who writes it knows it.

    Arguments:
        number: counted from 1, over all processes.
        writer: the number of the one who writes it.
        opened: when.
        entries: how many are on the disk.
        digest: of its chain so far.
    """

    number: int
    writer: int
    opened: datetime
    entries: int
    digest: bytes


class LostSegmentError(StoreError):
    """A segment that somebody else has closed, for its writer seemed to be gone."""


class Journal:
    """The log of one store.

    One thread writes, any may read.

    Arguments:
        database: where it is.
        ownership: tells which writers are there.
    """

    def __init__(self, database: peewee.Database, ownership: Ownership) -> None:
        self._database = database
        self._ownership = ownership

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return name_database(self._database)

    def create_tables(self) -> None:
        """Make the tables, where they are not there yet."""
        with self._writing():
            if not self.has_tables():
                for model in (SegmentRow, BlockRow):
                    peewee.SchemaManager(model, self._database).create_all(safe=False)

    def has_tables(self) -> bool:
        """Tell whether anything was ever logged here."""
        with explained(self._database):
            return bool(self._database.table_exists(SegmentRow))

    def open_segment(self, writer: int, now: datetime, promised: int) -> Segment:
        """Open a segment, after those were closed whose writers are gone.

        Arguments:
            writer: the number of the one who writes it.
            now: when.
            promised: how many entries may be taken before more are promised.
        """
        with self._writing():
            self._close_abandoned(now)
            self._ownership.take(writer)
            query = SegmentRow.select(SegmentRow.id, SegmentRow.opening)
            last = next(
                iter(self._run(query.order_by(SegmentRow.id.desc()).limit(1).tuples())), None
            )
            number, before = (last[0] + 1, bytes.fromhex(last[1])) if last else (1, b"")
            opening = open_chain(before, number, writer, write_time(now))
            self._run(
                SegmentRow.insert(
                    id=number,
                    writer=writer,
                    opened=now,
                    opening=opening.hex(),
                    promised=promised,
                    last=opening.hex(),
                )
            )
            return Segment(number, writer, now, 0, opening)

    def append(self, segment: Segment, blocks: Sequence[Lines], promised: int) -> Segment:
        """Add blocks to a segment, and promise how many entries there may be; on the disk then.

        Raises:
            LostSegmentError: when somebody else has closed it; nothing is written then.
            StoreError: when the database cannot write; nothing is written then.
        """
        entries, digest = segment.entries, segment.digest
        rows = []
        for each in blocks:
            links = follow_chain(digest, each.about, each.lines)
            rows.append(
                {
                    "segment": segment.number,
                    "first": entries + 1,
                    "entries": len(each.lines),
                    "since": each.since,
                    "until": each.until,
                    "checks": links.checks,
                    "digest": links.digest.hex(),
                    "data": each.data,
                }
            )
            entries += len(each.lines)
            digest = links.digest
        with self._writing():
            self._ownership.take(segment.writer)  # it went with the connection, if that did
            self._update_open(segment, entries=entries, promised=promised, last=digest.hex())
            if rows:
                self._run(BlockRow.insert_many(rows))
        return segment._replace(entries=entries, digest=digest)

    def replace_segment(self, segment: Segment, now: datetime, promised: int) -> Segment:
        """Close a segment and open the next, at once: what was promised is never without one."""
        with self._writing():
            self.close_segment(segment, now)
            return self.open_segment(segment.writer, now, promised)

    def close_segment(self, segment: Segment, now: datetime) -> None:
        """Close a segment of which nothing is missing.

        Raises:
            LostSegmentError: as above.
            StoreError: as above.
        """
        closing = close_chain(segment.digest, segment.entries, 0, write_time(now))
        with self._writing():
            self._update_open(segment, promised=segment.entries, closed=now, closing=closing.hex())

    def release(self, writer: int) -> None:
        """Tell that a writer is gone, who has closed its segment."""
        with explained(self._database):
            self._ownership.release(writer)

    def drop(self, before: datetime, now: datetime) -> int:
        """Drop the entries of segments that were closed before a time; how many segments."""
        is_old = (SegmentRow.closed < before) & SegmentRow.dropped.is_null()
        query = SegmentRow.select(SegmentRow.id).where(is_old)
        with self._writing():
            old = [number for (number,) in self._run(query.tuples())]
            if old:
                self._run(BlockRow.delete().where(BlockRow.segment.in_(old)))
                self._run(SegmentRow.update(dropped=now).where(SegmentRow.id.in_(old)))
        return len(old)

    def is_abandoned(self, segment: SegmentRow) -> bool:
        """Tell whether the writer of an open segment is gone."""
        with explained(self._database):
            is_gone = self._ownership.take(segment.writer)
            if is_gone:
                self._ownership.release(segment.writer)
            return is_gone

    def find_segments(self) -> list[SegmentRow]:
        """Find all segments that there ever were, in their order."""
        return list(self._run(SegmentRow.select().order_by(SegmentRow.id)))

    def find_blocks(self, span: Span, limit: int) -> list[Block]:
        """Find blocks, in the order in which they were written, or the other way round."""
        query = BlockRow.select()
        if span.after is not None:
            query = query.where(BlockRow.id > span.after)
        if span.before is not None:
            query = query.where(BlockRow.id < span.before)
        if span.since is not None:
            query = query.where(BlockRow.until >= span.since)
        if span.until is not None:
            query = query.where(BlockRow.since < span.until)
        order = BlockRow.id.desc() if span.newest_first else BlockRow.id
        return [Block(*each) for each in self._run(query.order_by(order).limit(limit).tuples())]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one state of the log, whatever is written meanwhile."""
        isolation = () if is_sqlite(self._database) else ("REPEATABLE READ",)
        with explained(self._database), self._database.atomic(*isolation):
            yield

    def close(self) -> None:
        """Close this thread's connection."""
        self._database.close()

    def _close_abandoned(self, now: datetime) -> None:
        """Close the segments whose writers are gone, and note how much may be missing."""
        for each in self._run(SegmentRow.select().where(SegmentRow.closed.is_null())):
            if not self._ownership.take(each.writer):
                continue
            missing = each.promised - each.entries
            closing = close_chain(bytes.fromhex(each.last), each.entries, missing, write_time(now))
            self._run(
                SegmentRow.update(closed=now, closing=closing.hex(), missing=missing).where(
                    SegmentRow.id == each.id
                )
            )
            self._ownership.release(each.writer)

    def _update_open(self, segment: Segment, **values: Any) -> None:
        is_it = (SegmentRow.id == segment.number) & SegmentRow.closed.is_null()
        if not self._run(SegmentRow.update(**values).where(is_it)):
            message = f"segment {segment.number} of the decision log was closed by another process"
            raise LostSegmentError.at(self.place, "lost_segment", message)

    def _run(self, query: peewee.BaseQuery) -> Any:
        with explained(self._database):
            return query.execute(self._database)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write everything or nothing, when nobody else writes."""
        lock = ("IMMEDIATE",) if is_sqlite(self._database) else ()
        with explained(self._database), self._database.atomic(*lock):
            if not is_sqlite(self._database):
                self._database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_TURN,))
            yield


def open_journal(url: str) -> Journal:
    """Open the log of the store at a URL; raises as the opening of a store does."""
    if not url.startswith(_SQLITE):
        database = build_database(url)
        return Journal(database, ServerOwnership(database))
    path = find_log_file(url)
    return Journal(build_database(f"{_SQLITE}{path}"), FileOwnership(path))


def find_log_file(url: str) -> Path:
    """Find the file of the log beside a store in a SQLite file."""
    path = Path(url.removeprefix(_SQLITE))
    return path.with_name(f"{path.stem}-decisions.db")


def write_time(time: datetime) -> str:
    """Write a time as it goes into a chain: as the database has it."""
    return str(SegmentRow.opened.db_value(time))
