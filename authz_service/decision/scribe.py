"""Writes the decision log of one process: segment after segment, and what a sink wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.decision.entry import write_blocks
from authz_service.store.journal import LostSegmentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from authz_service.decision.entry import Written
    from authz_service.decision.sink import LineSink
    from authz_service.store.journal import Journal, Lines, Segment


@dataclass(frozen=True)
class SegmentTerms:
    """When a segment ends, and when its entries are dropped.

    Arguments:
        size: bytes of its blocks, at the most.
        age: how long it is written.
        kept: how long its entries are kept after it was closed; None for good.
    """

    size: int
    age: timedelta
    kept: timedelta | None


class Scribe:
    """Writes decisions into the journal; what cannot be written is kept, and comes first next time.

    For one thread.

    Arguments:
        journal: the log.
        writer: the number of this process among all that write; drawn, so that none is met twice.
        terms: of the segments.
        clock: tells the time, with its zone.
        sink: where else entries go; None for nowhere.
    """

    def __init__(
        self,
        journal: Journal,
        writer: int,
        terms: SegmentTerms,
        clock: Callable[[], datetime],
        sink: LineSink | None = None,
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._terms = terms
        self._clock = clock
        self._sink = sink
        self._segment: Segment | None = None
        self._size = 0
        self._blocks: list[Lines] = []

    def write(self, decisions: Iterable[Written], room: int) -> None:
        """Write decisions, and say how many more there may be before it is called again.

        Arguments:
            decisions: to be written.
            room: how many more may be taken into memory meanwhile.

        Raises:
            StoreError: when they cannot be written yet.
        """
        for each in decisions:
            self._blocks += write_blocks(each)
        try:
            self._append(room)
        except LostSegmentError:  # it seemed to be gone, as when the database was
            self._segment = None
            self._append(room)
        if self._sink:
            self._sink.write()
        if self._is_full():
            self._replace(room)

    def close_segment(self) -> None:
        """End the segment, if there is one; nothing may be taken before `write` is called again.

        While something could not be written, it is left open: so whoever opens the next one notes
        that entries may be missing.

        Raises:
            StoreError: when it cannot be closed yet.
        """
        if self._segment and not self._blocks:
            self._journal.close_segment(self._segment, self._clock())
            self._segment = None
            self._journal.release(self._writer)

    def is_old(self) -> bool:
        """Tell whether the segment has been written for long enough."""
        return bool(self._segment and self._clock() - self._segment.opened >= self._terms.age)

    def close(self) -> None:
        """End the segment and let go of the database."""
        try:
            self.close_segment()
        finally:
            self._journal.close()

    def _append(self, room: int) -> None:
        count = sum(len(each.lines) for each in self._blocks)
        if self._segment is None:
            self._segment = self._journal.open_segment(self._writer, self._clock(), count + room)
            self._size = 0
            self._drop_old()
        before = self._segment
        promised = before.entries + count + room
        self._segment = self._journal.append(before, self._blocks, promised)
        if self._sink:
            self._sink.add(before.number, before.entries + 1, self._blocks)
        self._size += sum(len(each.data) for each in self._blocks)
        self._blocks = []

    def _is_full(self) -> bool:
        return self._size >= self._terms.size or self.is_old()

    def _replace(self, room: int) -> None:
        if self._segment:
            now = self._clock()
            self._segment = self._journal.replace_segment(self._segment, now, room)
            self._size = 0
            self._drop_old()

    def _drop_old(self) -> None:
        if self._terms.kept is not None:
            now = self._clock()
            self._journal.drop(now - self._terms.kept, now)
