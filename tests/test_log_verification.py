"""A log that is not as it was written: the first bad entry is named, whatever was done to it."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from decision_log import ABOUT, ALLOWED, NOON, ask, fill, note, open_log, opened_journal

from authz_service.decision.lookup import read_entries
from authz_service.decision.verification import verify
from authz_service.errors import LogError
from authz_service.store.journal import BlockRow, SegmentRow, Span, find_log_file
from authz_service.store.url import build_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import peewee

    from authz_service.decision.verification import Verified


def look(url: str) -> Verified:
    """Verify the log beside a store."""
    with opened_journal(url) as journal:
        return verify(journal, lambda _count: None)


def refuse(url: str) -> str:
    """Have a log found wrong, in one sentence."""
    with pytest.raises(LogError) as caught:
        look(url)
    [fault] = caught.value.faults
    return fault.message


def tamper(url: str, *queries: peewee.BaseQuery) -> None:
    """Write past the log, as somebody with a database client does."""
    with opened_database(url) as database:
        for each in queries:
            each.execute(database)


@contextmanager
def opened_database(url: str) -> Iterator[peewee.Database]:
    """Open the database of the log."""
    is_file = url.startswith("sqlite:///")
    database = build_database(f"sqlite:///{find_log_file(url)}" if is_file else url)
    yield database
    database.close()


def rewrite(url: str, block: int, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a block, of which the first is what they have in common."""
    with opened_journal(url) as journal:
        data = journal.find_blocks(Span(after=block - 1), 1)[0].data
    lines = change(zlib.decompress(data).splitlines(keepends=True))
    changed = BlockRow.update(data=zlib.compress(b"".join(lines))).where(BlockRow.id == block)
    tamper(url, changed)


def test_a_log_that_nobody_touched_is_as_it_was_written(url: str) -> None:
    """With how much there is, and its closing digest."""
    fill(url, 2_500)
    fill(url, 3)
    found = look(url)

    assert (2, 2_503, 0, ()) == (found.segments, found.entries, found.dropped, found.gaps)
    assert found.closing is not None
    assert (2, 64) == (found.closing[0], len(found.closing[1]))


def test_an_open_log_is_verified(url: str) -> None:
    """While its process goes on, and without a gap."""
    with open_log(url, strict=True) as log:
        note(log, ask(0))
        found = look(url)

    assert (1, 1, (), None) == (found.segments, found.entries, found.gaps, found.closing)


def test_a_changed_entry_is_named(url: str) -> None:
    """A denial that was made an allow, in the second block."""
    fill(url, 2_000)
    rewrite(url, 2, lambda lines: [*lines[:8], lines[8].replace(b'"ann"', b'"bob"'), *lines[9:]])

    assert "entry 1-1008 was changed, moved or removed" == refuse(url)


def test_a_removed_entry_is_named(url: str) -> None:
    """Those behind it have its place."""
    fill(url, 20)
    rewrite(url, 1, lambda lines: [*lines[:5], *lines[6:]])

    assert "entry 1-5 was changed, moved or removed" == refuse(url)


def test_the_last_entry_that_was_removed_is_named(url: str) -> None:
    """It is missing at the end."""
    fill(url, 20)
    rewrite(url, 1, lambda lines: lines[:-1])

    assert "entry 1-20 was changed, moved or removed" == refuse(url)


def test_an_entry_that_was_put_in_is_named(url: str) -> None:
    """What somebody would like to have been decided."""
    fill(url, 20)
    rewrite(url, 1, lambda lines: [*lines, lines[-1]])

    assert "entry 1-21 was changed, moved or removed" == refuse(url)


def test_the_first_of_two_that_changed_places_is_named(url: str) -> None:
    """The order counts."""
    fill(url, 20)
    rewrite(url, 1, lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]])

    assert "entry 1-3 was changed, moved or removed" == refuse(url)


def test_what_entries_have_in_common_counts(url: str) -> None:
    """Another policy digest, for all of them."""
    fill(url, 20)
    rewrite(url, 1, lambda lines: [lines[0].replace(b"a" * 64, b"b" * 64), *lines[1:]])

    assert "entry 1-1 was changed, moved or removed" == refuse(url)


def test_a_block_that_was_removed_is_named(url: str) -> None:
    """By its first entry: in the middle, and at the end."""
    fill(url, 3_000)
    tamper(url, BlockRow.delete().where(BlockRow.id == 2))

    assert "entry 1-1001 is missing or moved" == refuse(url)
    tamper(url, BlockRow.delete().where(BlockRow.id == 3))
    assert "entry 1-1001 is missing, and all behind it" == refuse(url)


def test_blocks_that_changed_places_are_named(url: str) -> None:
    """By the first entry that is not where it was."""
    fill(url, 2_000)
    for before, after in ((1, 99), (2, 1), (99, 2)):
        tamper(url, BlockRow.update(id=after).where(BlockRow.id == before))

    assert "entry 1-1 is missing or moved" == refuse(url)


def test_a_block_that_is_garbage_is_named(url: str) -> None:
    """By its first entry; who reads the log is told to verify it."""
    fill(url, 20)
    tamper(url, BlockRow.update(data=b"garbage"))

    assert "entry 1-1 and those behind it cannot be read: they were changed" in refuse(url)
    with (
        opened_journal(url) as journal,
        pytest.raises(LogError, match="`authz log verify` tells what is wrong"),
    ):
        list(read_entries(journal))


@pytest.mark.parametrize(
    "values",
    [
        {"digest": "0" * 64},
        {"since": NOON + timedelta(days=1)},
        {"until": NOON - timedelta(days=1)},
        {"entries": 7},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_is_noted_of_a_block_counts(url: str, values: dict[str, Any]) -> None:
    """By its times it is found, so nobody hides it with them."""
    fill(url, 20)
    tamper(url, BlockRow.update(**values))

    assert "what is noted of entry 1-1 and those behind it is not what was" == refuse(url)


def test_a_missing_segment_is_named(url: str) -> None:
    """With its entries, or without."""
    for _ in range(3):
        fill(url, 2)
    tamper(url, SegmentRow.delete().where(SegmentRow.id == 2))

    assert "segment 2 is missing; 3 is there" == refuse(url)


def test_the_last_segment_that_is_missing_is_named(url: str) -> None:
    """Its entries show that it was there."""
    for _ in range(2):
        fill(url, 2)
    tamper(url, SegmentRow.delete().where(SegmentRow.id == 2))

    assert "segment 2 is missing; entries of it are there" == refuse(url)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"opened": NOON + timedelta(1)}, "segment 1 is not what was: its opening digest"),
        ({"writer": 1}, "segment 1 is not what was: its opening digest"),
        ({"closed": NOON + timedelta(1)}, "the end of segment 1 is not what was"),
        ({"closed": None}, "the end of segment 1 is not what was"),
        ({"closing": "0" * 64}, "the end of segment 1 is not what was"),
        ({"last": "0" * 64}, "the end of segment 1 is not what was"),
        ({"missing": 5}, "the end of segment 1 is not what was"),
        ({"entries": 21}, "entry 1-21 is missing, and all behind it"),
    ],
)
def test_what_is_noted_of_a_segment_counts(url: str, values: dict[str, Any], message: str) -> None:
    """When it began and ended, by whom, and how much may be missing."""
    fill(url, 20)
    tamper(url, SegmentRow.update(**values))

    assert message in refuse(url)


def test_the_same_entry_twice_is_found(url: str) -> None:
    """A block that somebody copied."""
    fill(url, 20)
    with opened_database(url) as database:
        [row] = BlockRow.select().dicts().execute(database)
        BlockRow.insert(**{**row, "id": 2}).execute(database)

    assert "entry 1-21 is missing or moved" == refuse(url)


def test_dropped_entries_are_told_from_those_that_were_removed(url: str) -> None:
    """Those that were dropped for their age are no fault."""
    fill(url, 5)
    later = NOON + timedelta(days=2)
    with open_log(url, kept=timedelta(days=1), clock=lambda: later) as log:
        log.note_many(ABOUT, log.count(), "", [ask(0)], [ALLOWED])
    assert 5 == look(url).dropped
    tamper(url, SegmentRow.update(dropped=None))

    assert "entry 1-1 is missing, and all behind it" == refuse(url)
