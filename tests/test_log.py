"""The decision log: what is noted is there, in either way, and nothing is left out in silence."""

from __future__ import annotations

import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from decision_log import (
    ABOUT,
    ALLOWED,
    DENIED,
    NOON,
    ask,
    fill,
    note,
    open_log,
    opened_journal,
)

from authz_service.decision.entry import About, Kind, write_entry
from authz_service.decision.lookup import read_entries
from authz_service.decision.sink import LineSink
from authz_service.decision.verification import verify
from authz_service.errors import StoreError, UnavailableError
from authz_service.store.journal import find_log_file

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.decision.entry import Entry
    from authz_service.decision.log import DecisionLog


def read(url: str) -> list[Entry]:
    """Read all entries, from a log that is as it was written."""
    with opened_journal(url) as journal:
        verify(journal, lambda _count: None)
        return list(read_entries(journal))


def ids_of(entries: list[Entry]) -> list[str]:
    """Name the records that entries are about."""
    return [each.decided.resource.id for each in entries]


@pytest.mark.parametrize("strict", [False, True])
def test_a_decision_is_noted_with_all_that_is_known_of_it(url: str, *, strict: bool) -> None:
    """As it is given out."""
    with open_log(url, strict=strict) as log:
        log.note(ABOUT, Kind.CHECK, log.count(), "shop", ask(copies=2), DENIED)
    [entry] = read(url)
    written = json.loads(write_entry(entry))

    assert 0 <= written.pop("microseconds") < 10**7
    assert {
        "id": "1-1",
        "at": "2026-01-05T12:00:00Z",
        "kind": "check",
        "client": "shop",
        "request": {
            "subject": {"type": "user", "id": "ann"},
            "action": {"name": "read", "properties": {"copies": 2}},
            "resource": {"type": "record", "id": "r0"},
            "context": {"channel": "web"},
        },
        "decision": False,
        "reasons": ["not_permitted"],
        "rules": [],
        "policy_digest": ABOUT.policy_digest,
        "revision": 7,
        "engine": "compiled",
        "redacted": {},
    } == written


def test_a_search_is_noted_by_how_many_were_found(url: str) -> None:
    """It has no decision, for it is about many."""
    with open_log(url) as log:
        log.note(ABOUT, Kind.SEARCH_RESOURCE, log.count(), "", ask(), ALLOWED, 3)
    [entry] = read(url)
    written = json.loads(write_entry(entry))

    assert ("search_resource", 3) == (written["kind"], written["found"])
    assert "decision" not in written
    assert not entry.can_be_asked


def test_many_are_noted_in_their_order(url: str) -> None:
    """Those that came one by one, and those that came together, over several blocks."""
    with open_log(url, most=1_000) as log:
        note(log, ask(0))
        requests = [ask(number) for number in range(1, 2_501)]
        log.note_many(ABOUT, log.count(), "shop", requests, [ALLOWED] * 2_500)
    entries = read(url)

    assert sorted(f"r{number}" for number in range(2_501)) == sorted(ids_of(entries))
    assert [f"1-{number}" for number in range(1, 2_502)] == [each.id for each in entries]


def test_nothing_is_written_where_nothing_was_decided(url: str) -> None:
    """No segment is there."""
    with open_log(url) as log:
        log.note_many(ABOUT, log.count(), "shop", [], [])
    with opened_journal(url) as journal:
        assert [] == journal.find_segments()


def test_entries_are_of_the_policies_that_decided(url: str) -> None:
    """Also where those change while the log goes on."""
    newer = About("sha256:" + "b" * 64, "compiled", ())
    with open_log(url) as log:
        for about in (ABOUT, newer, ABOUT):
            log.note(about, Kind.CHECK, log.count(), "", ask(), ALLOWED)

    assert [ABOUT, newer, ABOUT] == [each.about for each in read(url)]


def test_strict_is_on_the_disk_before_it_goes_on(url: str) -> None:
    """Somebody else reads it while the log is open."""
    with open_log(url, strict=True) as log:
        for number in range(3):
            note(log, ask(number))
            assert [f"r{each}" for each in range(number + 1)] == ids_of(read(url))


def test_buffered_is_on_the_disk_soon(url: str) -> None:
    """Without anything else that is decided."""
    with open_log(url) as log:
        note(log, ask())
        waiter = threading.Event()
        for _ in range(300):
            if ids_of(read(url)) == ["r0"]:
                break
            waiter.wait(0.1)

        assert ["r0"] == ids_of(read(url))


@pytest.mark.parametrize("strict", [False, True])
def test_threads_note_all_that_they_decide(url: str, *, strict: bool) -> None:
    """Nothing is lost between them, and nothing comes twice."""
    with open_log(url, strict=strict, most=1_000) as log, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: note(log, ask(number)), range(200)))

    assert {f"r{number}" for number in range(200)} == set(ids_of(read(url)))
    assert 200 == len(read(url))


def test_a_segment_ends_with_its_size(url: str) -> None:
    """The next begins; the chain goes from one to the other."""
    with open_log(url, strict=True, size=1) as log:
        note(log, ask(0), ask(1), ask(2))
    entries = read(url)

    assert ["r0", "r1", "r2"] == ids_of(entries)
    assert ["1-1", "2-1", "3-1"] == [each.id for each in entries]


def test_a_segment_ends_with_its_age(url: str) -> None:
    """By the clock, when something is written."""
    now = [NOON]
    with open_log(url, strict=True, clock=lambda: now[0]) as log:
        note(log, ask(0))
        now[0] += timedelta(days=2)
        note(log, ask(1), ask(2))
    segments = [each.segment for each in read(url)]

    assert (1, 3) == (segments[0], len(segments))
    assert segments[2] > 1


def test_old_entries_are_dropped_and_their_closing_digest_is_kept(url: str) -> None:
    """The segment is still there, and the log as it was written."""
    fill(url, 5)
    with opened_journal(url) as journal:
        [before] = journal.find_segments()
    later = NOON + timedelta(days=91)
    with open_log(url, kept=timedelta(days=90), clock=lambda: later) as log:
        note(log, ask(9))
    with opened_journal(url) as journal:
        first, _ = journal.find_segments()
        found = verify(journal, lambda _count: None)

    assert ["r9"] == ids_of(read(url))
    assert (before.closing, later) == (first.closing, first.dropped)
    assert (2, 1, 5) == (found.segments, found.entries, found.dropped)


def test_two_processes_have_a_segment_each(url: str) -> None:
    """Both write at once, and neither takes the other for dead."""
    with open_log(url, strict=True) as one, open_log(url, strict=True) as other:
        note(one, ask(0))
        note(other, ask(1))
        note(one, ask(2))
    entries = read(url)

    assert [("1-1", "r0"), ("2-1", "r1"), ("1-2", "r2")] == [
        (each.id, each.decided.resource.id) for each in entries
    ]


def test_what_is_no_text_is_noted_as_it_is(url: str) -> None:
    """An id can be half a character, which JSON can say and UTF-8 cannot."""
    with open_log(url) as log:
        note(log, ask(0, "\ud800"), ask(1, "é\n"))
        log.note_many(ABOUT, log.count(), "", [ask(2, "a\udfff"), ask(3)], [ALLOWED] * 2)
    entries = read(url)

    assert {"\ud800", "é\n", "a\udfff", "ann"} == {each.decided.subject.id for each in entries}
    assert all(json.loads(write_entry(each)) for each in entries)


def test_lines_go_into_a_file_as_well(url: str, tmp_path: Path) -> None:
    """The same that is given out, each once, behind what was there."""
    file = tmp_path / "lines" / "decisions.jsonl"
    for number in range(2):
        with open_log(url, sink=LineSink(str(file))) as log:
            note(log, ask(number))
    lines = file.read_bytes().splitlines()

    assert [write_entry(each) for each in read(url)] == lines


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """Before anything is decided."""
    with pytest.raises(StoreError, match="the decisions cannot be written into it"):
        LineSink(str(tmp_path))


class TestInSqlite:
    """What a file can do: another program holds it, or it is gone."""

    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        """A SQLite file."""
        return sqlite_url

    def hold(self, url: str) -> sqlite3.Connection:
        """Keep everybody else from writing the log."""
        connection = sqlite3.connect(find_log_file(url), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def test_who_has_no_room_is_refused_in_the_end(self, url: str) -> None:
        """Buffered decisions are let in up to the bound; nothing that was is lost."""
        with open_log(url, most=1_000, wait=0.2) as log:
            note(log, ask(0))
            with closing(self.hold(url)):
                taken = self.note_until_refused(log)
            assert 0 < taken <= 1_000
        expected = {f"r{number}" for number in range(taken + 1)}

        assert expected == set(ids_of(read(url)))

    def note_until_refused(self, log: DecisionLog) -> int:
        """Note decisions as long as they are taken, and count them."""
        for number in range(1, 10_000):
            try:
                note(log, ask(number))
            except UnavailableError:
                return number - 1
        raise AssertionError("it was never full")

    def test_strict_refuses_what_does_not_come_to_the_disk(self, url: str) -> None:
        """And whoever comes next at once, until it can be written again."""
        with open_log(url, strict=True, wait=0.3) as log:
            note(log, ask(0))
            with (
                closing(self.hold(url)),
                pytest.raises(UnavailableError, match="so nothing is decided"),
            ):
                note(log, ask(1))
            self.wait_for(log)
        assert {"r0", "r2"} <= set(ids_of(read(url)))

    def wait_for(self, log: DecisionLog) -> None:
        """Try until decisions are taken again."""
        for _ in range(100):
            try:
                note(log, ask(2))
            except UnavailableError:
                threading.Event().wait(0.1)
            else:
                return
        raise AssertionError("it never went on")

    def test_a_segment_that_somebody_else_closed_is_followed_by_another(self, url: str) -> None:
        """As when its process seemed to be gone: what was taken is in the next."""
        with open_log(url, strict=True) as log:
            note(log, ask(0))
            with closing(sqlite3.connect(find_log_file(url))) as connection, connection:
                connection.execute("UPDATE authz_log_segment SET closed = opened, closing = ''")
            note(log, ask(1))
        with opened_journal(url) as journal:
            entries = list(read_entries(journal))

        assert [("1-1", "r0"), ("2-1", "r1")] == [
            (each.id, each.decided.resource.id) for each in entries
        ]

    def test_a_log_that_was_closed_takes_nothing(self, url: str) -> None:
        """Nobody would write it."""
        with open_log(url) as log:
            note(log, ask(0))
        with pytest.raises(UnavailableError):
            note(log, ask(1))


def test_a_log_goes_on_after_its_connection_was_lost(postgresql_url: str) -> None:
    """What it had taken is written by the next one; nobody takes it for dead."""
    with open_log(postgresql_url, strict=True) as log:
        note(log, ask(0))
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        note(log, ask(1))
        fill(postgresql_url, 1)
        note(log, ask(2))
    entries = read(postgresql_url)

    assert ["1-1", "1-2", "2-1", "1-3"] == [each.id for each in entries]
