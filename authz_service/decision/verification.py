"""Whether the decision log is as it was written: every segment is there, and every entry in it.

All digests are made anew from what is stored, block by block, in the order in which they were
written. What does not fit is told by the first entry with which it does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authz_service.decision.entry import read_lines, unpack
from authz_service.errors import LogError
from authz_service.store.chain import CHECK_SIZE, close_chain, follow_chain, open_chain
from authz_service.store.journal import Span, write_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz_service.store.journal import Block, Journal, SegmentRow

_PLACE: Final = "the decision log"
_PAGE: Final = 100


@dataclass(frozen=True)
class Gap:
    """Entries that may be missing, for the process that was to write them was killed.

    Arguments:
        behind: the id of the last entry that is there; `3-0` before the first of segment 3.
        entries: how many there may be at the most.
        is_noted: whether it was noted yet: the next who opens a segment does.
    """

    behind: str
    entries: int
    is_noted: bool


@dataclass(frozen=True)
class Verified:
    """What is there of a log that is as it was written.

    Arguments:
        segments: how many there ever were.
        entries: how many are there.
        dropped: how many were dropped for their age.
        gaps: where entries may be missing.
        closing: the digest of the last segment that was closed, with its number; None for none.
    """

    segments: int
    entries: int
    dropped: int
    gaps: tuple[Gap, ...]
    closing: tuple[int, str] | None


@dataclass
class _Chain:
    """How far a segment was followed."""

    digest: bytes
    entries: int = 0
    is_begun: bool = field(default=False)


def verify(journal: Journal, tell: Callable[[int], None]) -> Verified:
    """Hold a log against its digests.

    Arguments:
        journal: the log.
        tell: is told now and then how many entries were looked at since it was told before.

    Raises:
        LogError: with the first entry, or the segment, that is not as it was written.
    """
    with journal.reading():
        segments = journal.find_segments()
        _verify_openings(segments)
        chains = {each.id: _Chain(bytes.fromhex(each.opening)) for each in segments}
        last = 0
        while blocks := journal.find_blocks(Span(after=last), _PAGE):
            for each in blocks:
                _verify_block(each, chains)
            last = blocks[-1].id
            tell(sum(each.entries for each in blocks))
        for segment in segments:
            _verify_end(segment, chains[segment.id])
        return _sum_up(segments, chains, find_gaps(journal, segments))


def find_gaps(journal: Journal, segments: Iterable[SegmentRow]) -> tuple[Gap, ...]:
    """Find where entries may be missing."""
    gaps = []
    for each in segments:
        if each.closed is None and journal.is_abandoned(each):
            gaps.append(Gap(f"{each.id}-{each.entries}", each.promised - each.entries, False))
        elif each.missing:
            gaps.append(Gap(f"{each.id}-{each.entries}", each.missing, True))
    return tuple(gaps)


def _verify_openings(segments: Sequence[SegmentRow]) -> None:
    before = b""
    for number, each in enumerate(segments, 1):
        if each.id != number:
            raise _refuse("missing_segment", f"segment {number} is missing; {each.id} is there")
        opening = open_chain(before, each.id, each.writer, write_time(each.opened))
        if opening.hex() != each.opening:
            message = f"what is noted of segment {number} is not what was: its opening digest"
            raise _refuse("changed_segment", message)
        before = opening


def _verify_block(block: Block, chains: dict[int, _Chain]) -> None:
    chain = chains.get(block.segment)
    if chain is None:
        message = f"segment {block.segment} is missing; entries of it are there"
        raise _refuse("missing_segment", message)
    expected = chain.entries + 1
    if block.first != expected:
        raise _refuse("broken_chain", f"entry {block.segment}-{expected} is missing or moved")
    try:
        header, *lines = unpack(block.data).splitlines(keepends=True)
        entries = list(read_lines(block.segment, block.first, header, b"".join(lines)))
    except ValueError as error:
        message = (
            f"entry {block.segment}-{expected} and those behind it cannot be read: they were"
            f" changed ({error})"
        )
        raise _refuse("unreadable_entries", message) from None
    links = follow_chain(chain.digest, header, lines)
    bad = _find_difference(links.checks, block.checks)
    if bad is not None:
        message = f"entry {block.segment}-{expected + bad} was changed, moved or removed"
        raise _refuse("broken_chain", message)
    times = [each.decided.at for each in entries]
    is_so = links.digest.hex() == block.digest and len(lines) == block.entries
    if not is_so or min(times) < block.since or max(times) > block.until:
        message = f"what is noted of entry {block.segment}-{expected} and those behind it"
        raise _refuse("broken_chain", f"{message} is not what was")
    chain.digest, chain.entries, chain.is_begun = links.digest, chain.entries + len(lines), True


def _find_difference(found: bytes, written: bytes) -> int | None:
    """Find the first entry whose check is another one; None where there is none."""
    if found == written:
        return None
    for start in range(0, max(len(found), len(written)), CHECK_SIZE):
        end = start + CHECK_SIZE
        if found[start:end] != written[start:end]:
            return start // CHECK_SIZE
    return None


def _verify_end(segment: SegmentRow, chain: _Chain) -> None:
    if segment.dropped is not None and not chain.is_begun:
        return
    if chain.entries < segment.entries:
        message = f"entry {segment.id}-{chain.entries + 1} is missing, and all behind it"
        raise _refuse("broken_chain", message)
    closing = None
    if segment.closed is not None:
        closed = write_time(segment.closed)
        closing = close_chain(chain.digest, chain.entries, segment.missing, closed).hex()
    if chain.digest.hex() != segment.last or closing != segment.closing:
        message = f"what is noted of the end of segment {segment.id} is not what was"
        raise _refuse("changed_segment", message)


def _sum_up(
    segments: Sequence[SegmentRow], chains: dict[int, _Chain], gaps: tuple[Gap, ...]
) -> Verified:
    closed = [(each.id, each.closing) for each in segments if each.closing is not None]
    there = sum(each.entries for each in chains.values())
    return Verified(
        segments=len(segments),
        entries=there,
        dropped=sum(each.entries for each in segments) - there,
        gaps=gaps,
        closing=closed[-1] if closed else None,
    )


def _refuse(code: str, message: str) -> LogError:
    return LogError.at(_PLACE, code, message)
