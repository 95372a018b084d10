"""Moments: by revision, by time, and those that nobody can go back to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from store_suite import book, reader

from authz_service.errors import HistoryError, NotFoundError
from authz_service.store.entity import Reference
from authz_service.store.history import Moment, find_moment, refuse_absent
from authz_service.store.past import open_at
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store

MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
NOW: Final = MADE + 9 * DAY
EMMA: Final = Reference("book", "emma")


@pytest.fixture
def store(store: Store, run_sql: RunSql) -> Store:
    """A library of the first, with two books of the third, one of which is lent on the fifth."""
    run_sql("UPDATE authz_migration SET at = '2026-01-01T00:00:00.000000+00:00'")
    with write(store, Cause(), MADE + 2 * DAY) as writer:
        writer.insert(book("emma"))
        writer.insert(book("atlas"))
    with write(store, Cause(), MADE + 4 * DAY) as writer:
        writer.update(EMMA, lent=True)
    return store


@pytest.mark.parametrize(("revision", "days"), [(0, 0), (1, 2), (2, 2), (3, 4)], ids=str)
def test_a_revision_stands_for_the_time_when_it_was_written(
    store: Store, revision: int, days: int
) -> None:
    """The first for the time when the store was made."""
    assert Moment(revision, MADE + days * DAY) == find_moment(store, revision, NOW)


@pytest.mark.parametrize(
    ("days", "revision"), [(0, 0), (1, 0), (1.99, 0), (2, 2), (3, 2), (4, 3), (9, 3)]
)
def test_a_time_stands_for_the_last_revision_until_then(
    store: Store, days: float, revision: int
) -> None:
    """All that was written at that time is seen, and the clock is the one that was said."""
    at = MADE + days * DAY

    assert Moment(revision, at) == find_moment(store, at, NOW)


def test_a_store_has_a_beginning(store: Store) -> None:
    """From when it was made until the first write, nothing was in it."""
    with open_at(store, 0) as empty:
        assert [] == list(empty.find_ids("book"))
        assert Moment(0, MADE + DAY) == find_moment(empty, MADE + DAY, NOW)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("context.at: the store has reached revision 3 only; name one that it has", 4),
        ("history begins at 2026-01-01T00:00:00Z, with revision 0; name a later", MADE - DAY),
        ("2026-01-11T00:00:00Z is still to come; `--now` moves the clock alone", NOW + DAY),
    ],
)
def test_a_moment_that_nobody_knows_is_refused(store: Store, said: str, at: int | datetime) -> None:
    """In a sentence that says what to do."""
    with pytest.raises(HistoryError) as caught:
        find_moment(store, at, NOW)

    assert said in str(caught.value)


def test_a_revision_without_a_line_is_refused(store: Store, run_sql: RunSql) -> None:
    """Nobody knows when it was."""
    run_sql("DELETE FROM authz_change WHERE revision = 1")
    with pytest.raises(HistoryError, match="no line of revision 1"):
        find_moment(store, 1, NOW)


@pytest.mark.parametrize(
    ("said", "revision", "reference"),
    [
        ("`book/emma` at revision 0; it came with revision 1", 0, EMMA),
        ("`reader/tom` at revision 3; it came with revision 4", 3, Reference("reader", "tom")),
        ("`book/atlas` at revision 5; it went with revision 5", 5, Reference("book", "atlas")),
        ("`book/none` at revision 5; nor at any other", 5, Reference("book", "none")),
    ],
)
def test_what_was_not_there_is_told(
    store: Store, said: str, revision: int, reference: Reference
) -> None:
    """With the revision at which it came, or went."""
    with write(store, Cause(), NOW) as writer:
        writer.insert(reader("tom"))
        writer.delete(Reference("book", "atlas"))
    moment = find_moment(store, revision, NOW)
    with open_at(store, revision) as past, pytest.raises(NotFoundError) as caught:
        refuse_absent(store, moment, past, reference)

    assert said in str(caught.value)


@pytest.mark.parametrize("reference", [EMMA, Reference("shelf", "a")])
def test_what_was_there_or_is_no_entity_is_let_through(store: Store, reference: Reference) -> None:
    """Who knows no such type says so elsewhere."""
    moment = find_moment(store, 2, NOW)
    with open_at(store, 2) as past:
        refuse_absent(store, moment, past, reference)
