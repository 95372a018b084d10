"""Committing together: each piece of work as a whole or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import peewee
import pytest
from store_suite import reader

from authz_service.errors import StoreConflictError, StoreError
from authz_service.store.committer import Committer
from authz_service.store.database import BrokenPromiseError
from authz_service.store.writer import Cause, find_changes, find_revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz_service.store.database import Store
    from authz_service.store.writer import Writer

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
CAUSE: Final = Cause("tests")
CONFLICT: Final = "DO $$ BEGIN RAISE EXCEPTION 'too bad' USING ERRCODE = '40001'; END $$"


@pytest.fixture
def committer(store: Store) -> Committer:
    """Commits to the library."""
    return Committer(store, lambda: NOW)


def add(*names: str) -> Callable[[Writer], int]:
    """Work that adds readers, and gives back the revision."""

    def work(writer: Writer) -> int:
        for name in names:
            writer.insert(reader(name))
        return writer.revision

    return work


def fail(writer: Writer) -> None:
    """Work that adds a reader, and fails."""
    writer.insert(reader("half"))
    raise KeyError("half done")


def names_of(store: Store) -> list[str]:
    """The readers that there are."""
    return list(store.find_ids("reader"))


def test_what_a_piece_of_work_gives_back_is_given_back(committer: Committer) -> None:
    """It is told when all is on the disk."""
    assert [1, 3] == [committer.run(CAUSE, add("mary")), committer.run(CAUSE, add("tom", "ann"))]


def test_what_fails_leaves_nothing(store: Store, committer: Committer) -> None:
    """Its error is the caller's, and its revision is the next one's."""
    with pytest.raises(KeyError, match="half done"):
        committer.run(CAUSE, fail)
    committer.run(CAUSE, add("mary"))

    assert ["mary"] == names_of(store)
    assert [1] == [each.revision for each in find_changes(store, 0, 10)]


def test_of_many_together_only_those_fail_that_fail(store: Store, committer: Committer) -> None:
    """Twenty at once, every fourth of which fails."""
    begin = threading.Barrier(20)

    def act(number: int) -> str:
        begin.wait()
        try:
            committer.run(CAUSE, add(f"r{number:02}") if number % 4 else fail)
        except KeyError:
            return "failed"
        finally:
            store.close()
        return "done"

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(act, range(20)))

    assert ["done" if number % 4 else "failed" for number in range(20)] == found
    assert [f"r{number:02}" for number in range(20) if number % 4] == names_of(store)
    assert list(range(1, 16)) == [each.revision for each in find_changes(store, 0, 100)]


def test_those_who_come_meanwhile_are_committed_together(
    store: Store, committer: Committer
) -> None:
    """While one is at work nine more queue up, and the next commit has them all."""
    is_begun, go_on = threading.Event(), threading.Event()
    before: list[int] = []

    def wait(writer: Writer) -> None:
        is_begun.set()
        go_on.wait(30)
        writer.insert(reader("first"))

    def look_and_add(name: str) -> Callable[[Writer], None]:
        def work(writer: Writer) -> None:
            before.append(writer.revision)
            writer.insert(reader(name))

        return work

    def run(work: Callable[[Writer], None]) -> None:
        committer.run(CAUSE, work)
        store.close()

    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(run, wait)
        is_begun.wait(30)
        others = [pool.submit(run, look_and_add(f"r{number}")) for number in range(9)]
        while len(committer.waiting) < len(others):
            threading.Event().wait(0.001)
        go_on.set()
        for each in [first, *others]:
            each.result()

    assert list(range(1, 10)) == before
    assert 10 == find_revision(store)


def test_a_conflict_is_tried_again(store: Store, committer: Committer) -> None:
    """What the database broke off for the sake of another one is run once more."""
    tries: list[int] = []

    def work(writer: Writer) -> None:
        tries.append(len(tries))
        writer.insert(reader(f"r{len(tries)}"))
        if len(tries) < 3:
            raise StoreConflictError.at("tests", "database_error", "broken off")

    committer.run(CAUSE, work)

    assert [0, 1, 2] == tries
    assert ["r3"] == names_of(store)


def test_conflicts_do_not_go_on_for_ever(store: Store, committer: Committer) -> None:
    """At some point the caller is told."""

    def work(_writer: Writer) -> None:
        raise StoreConflictError.at("tests", "database_error", "broken off")

    with pytest.raises(StoreConflictError):
        committer.run(CAUSE, work)

    assert 0 == find_revision(store)


@pytest.mark.parametrize("url", ["postgresql_url"], indirect=True)
def test_postgresql_says_what_is_a_conflict(store: Store) -> None:
    """It is told from other errors by its code."""
    with pytest.raises(StoreConflictError), store.transaction():
        store.run(peewee.RawQuery(CONFLICT))


def test_where_the_database_fails_all_are_told(store: Store, committer: Committer) -> None:
    """No one is told that something was done which was not; the next one can go on."""

    def work(writer: Writer) -> None:
        writer.insert(reader("mary"))
        writer.store.run(peewee.RawQuery("SELECT * FROM nothing_of_the_kind"))

    with pytest.raises(StoreError, match="nothing_of_the_kind"):
        committer.run(CAUSE, work)
    committer.run(CAUSE, add("tom"))

    assert ["tom"] == names_of(store)


def test_a_broken_promise_is_the_caller_s(store: Store, committer: Committer) -> None:
    """It does not end the transaction for others."""
    committer.run(CAUSE, add("mary"))
    with pytest.raises(BrokenPromiseError):
        committer.run(CAUSE, add("tom", "mary"))

    assert ["mary"] == names_of(store)
