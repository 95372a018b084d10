"""Looking entries up: by every filter, either way round, page by page, and to ask them again."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from decision_log import ABOUT, ALLOWED, DENIED, NOON, ask, fill, note, open_log, opened_journal
from small_domain import DOMAIN, ask_for

from authz_service.decision.entry import Kind
from authz_service.decision.lookup import Cursor, Wanted, read_entries, read_page
from authz_service.errors import RequestError
from authz_service.policy.request import Request, Said, build_request
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.journal import Journal

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    """A log of four entries."""
    now = [NOON]
    with open_log(url, clock=lambda: now[0]) as log:
        note(log, ask(0))
        note(log, ask(1, "bob"), finding=DENIED)
        now[0] = LATER
        note(log, ask(2, "é", channel="app"), client="")
        log.note(ABOUT, Kind.SEARCH_RESOURCE, log.count(), "shop", ask(3), ALLOWED, 5)
    with opened_journal(url) as opened:
        yield opened


def numbers(entries: Any) -> list[int]:
    """Number entries by what they are about."""
    return [int(each.decided.resource.id[1:]) for each in entries]


@pytest.mark.parametrize(
    ("expected", "filters"),
    [
        ([0, 1, 2, 3], {}),
        ([0, 3], {"who": Reference("user", "ann")}),
        ([2], {"who": Reference("user", "é")}),
        ([], {"who": Reference("group", "ann")}),
        ([1], {"on": Reference("record", "r1")}),
        ([], {"on": Reference("record", "ann")}),
        ([0, 1, 2, 3], {"action": "read"}),
        ([], {"action": "write"}),
        ([2, 3], {"since": LATER}),
        ([0, 1], {"until": LATER}),
        ([], {"since": LATER + timedelta(seconds=1)}),
        ([0, 2], {"allowed": True}),
        ([1], {"allowed": False}),
        ([1], {"reason": "not_permitted"}),
        ([], {"reason": "not"}),
        ([0, 1, 3], {"client": "shop"}),
        ([2], {"client": ""}),
        ([0], {"who": Reference("user", "ann"), "allowed": True}),
    ],
)
def test_a_filter_finds_what_fits(
    journal: Journal, expected: list[int], filters: dict[str, Any]
) -> None:
    """All of it, and nothing else."""
    assert expected == numbers(read_entries(journal, Wanted(**filters)))


def test_the_newest_come_first_when_asked_for(url: str) -> None:
    """Over blocks and segments."""
    for _ in range(2):
        fill(url, 1_500)
    with opened_journal(url) as journal:
        forwards = [each.id for each in read_entries(journal)]
        backwards = [each.id for each in read_entries(journal, newest_first=True)]

    assert 3_000 == len(forwards)
    assert forwards[::-1] == backwards


@pytest.mark.parametrize("limit", [1, 7, 1_000, 5_000])
def test_pages_hold_everything_once(url: str, limit: int) -> None:
    """Each begins where the one before ended, and the last ends where it began."""
    fill(url, 2_500)
    with open_log(url, strict=True) as log, opened_journal(url) as journal:
        found: list[int] = []
        end = Cursor()
        for _ in range(10 if limit < 10 else 4):
            entries, end = read_page(journal, Wanted(), end, limit)
            found += numbers(entries)
        if limit > 10:
            assert ([], end) == read_page(journal, Wanted(), end, limit)
            note(log, ask(7))
            entries, _ = read_page(journal, Wanted(), end, limit)
            assert [7] == numbers(entries)

    assert list(range(len(found))) == found
    assert min(2_500, 10 * limit) == len(found)


def test_a_page_looks_through_so_much_only(url: str) -> None:
    """It is short then, or empty, and not the last."""
    with open_log(url, strict=True) as log:
        for number in range(202):
            note(log, ask(number))
    wanted = Wanted(on=Reference("record", "r201"))
    with opened_journal(url) as journal:
        first, end = read_page(journal, wanted, Cursor(), 10)
        second, _ = read_page(journal, wanted, end, 10)

    assert ([], [201]) == (numbers(first), numbers(second))


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "1.1.1", "a.b", "\u0661.\u0661", "9" * 30])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    """Who goes on says what a page gave."""
    with pytest.raises(RequestError, match="`after` must be what a page gave"):
        Cursor.parse(text)


def test_a_place_is_written_as_it_is_read() -> None:
    """With the block, and how much of it was seen."""
    assert Cursor(12, 7) == Cursor.parse(str(Cursor(12, 7)))


def test_a_request_is_built_again_as_it_was(url: str) -> None:
    """Times, lists, what was supplied and what nobody said included."""
    said = Said(
        context={"channel": "web"},
        action={"copies": 2, "parts": ["a", "b"]},
        resource={"status": "active"},
    )
    plain, full = ask_for(), build_request(DOMAIN.schema, *ask_for()[:3], said)
    with open_log(url) as log:
        note(log, plain, full)
    with opened_journal(url) as journal:
        found = [each.rebuild_request(DOMAIN.schema) for each in read_entries(journal)]

    assert [plain, full] == found
    assert all(isinstance(each, Request) for each in found)


def test_a_large_log_is_read_fast(sqlite_url: str) -> None:
    """With each request built again, 20,000 in far less than a second's worth for a million."""
    fill(sqlite_url, 20_000)
    with opened_journal(sqlite_url) as journal:
        started = time.process_time()
        count = sum(
            each.rebuild_request(DOMAIN.schema).action == "read" for each in read_entries(journal)
        )
        took = time.process_time() - started

    assert 20_000 == count
    assert took < 20 / 50
