"""Imports: lines of JSON in their order, all of them or none, each fault with its line."""

from __future__ import annotations

import io
import json
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from entity_service import line
from small_domain import DOMAIN as RECORDS
from store_suite import LIBRARY, reader

from authz_service.errors import RefusedEntitiesError
from authz_service.store import importing
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.store.writer import Cause, find_changes, find_revision, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
MARY: Final = line("reader", "mary", name="Mary")
TOM: Final = line("reader", "tom", name="Tom", mentor="mary")
EMMA: Final = line(
    "book", "emma", title="Emma", kind="novel", pages=400, keeper="tom", waiting=["tom", "mary"]
)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A library with nothing in it."""
    store = open_store(url, LIBRARY)
    with store.transaction():
        store.create_tables()
    yield store
    store.close()


def bring(store: Store, *lines: Any) -> int:
    """Import lines; what is no bytes is written as JSON."""
    texts = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    file = io.BytesIO(b"\n".join(texts))
    with write(store, Cause(reason="test"), NOW) as writer:
        return importing.import_entities(file, "file", writer, LIBRARY)


def refuse(store: Store, *lines: Any) -> list[str]:
    """Have an import refused, and give back the lines and codes of the faults."""
    before = find_revision(store), list(store.find_ids("reader"))
    with pytest.raises(RefusedEntitiesError) as caught:
        bring(store, *lines)
    assert before == (find_revision(store), list(store.find_ids("reader")))
    return [f"{each.where.line} {each.code}" for each in caught.value.faults]


def test_entities_are_written_in_their_order(store: Store) -> None:
    """Each with a revision and a line in the feed, whichever way it was written."""
    assert 3 == bring(store, MARY, TOM, EMMA)
    assert [("mary", 1), ("tom", 2), ("emma", 3)] == [
        (each.reference.id, each.revision) for each in find_changes(store, 0, 10)
    ]
    emma = store.find_whole(Reference("book", "emma"))
    assert emma
    assert (("mary", "tom"), 3) == (emma.values["waiting"], emma.revision)


def test_what_is_there_is_replaced(store: Store) -> None:
    """Whole, lists too, and the feed tells what it was."""
    bring(store, MARY, TOM, EMMA)
    other = line("book", "emma", title="Emma!", kind="novel", pages=1, waiting=["mary"])
    bring(store, line("reader", "ann", name="Ann"), line("reader", "mary", name="Maria"), other)
    ann, mary, emma = find_changes(store, 3, 10)

    assert ann.before is None
    assert ({"name": "Mary", "mentor": None}, {"name": "Maria", "mentor": None}) == (
        mary.before,
        mary.after,
    )
    assert emma.before
    assert emma.after
    assert (["mary", "tom"], ["mary"]) == (emma.before["waiting"], emma.after["waiting"])
    assert (400, None) == (emma.before["pages"], emma.after["keeper"])


def test_empty_lines_and_a_missing_end_are_nothing(store: Store) -> None:
    """What editors leave behind."""
    assert 1 == bring(store, b"", b" \r", MARY, b"", b"")
    assert 0 == bring(store)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[]", "invalid_request"),
        (b"null", "invalid_request"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"a":' * 100_000, "invalid_json"),
        (b'{"type":"reader","id":"x","attributes":{"name":"a","name":"b"}}', "invalid_json"),
        (b'{"type":"reader","id":"x","id":"y","attributes":{"name":"a"}}', "invalid_json"),
        (b'{"type":"reader","id":"x","attributes":{"name":"\\ud800"}}', "invalid_json"),
        (b'{"type":"reader","id":"x","attributes":{"name":"\\u0000"}}', "wrong_type"),
        (b'{"type":"reader","id":"\\u0000","attributes":{"name":"a"}}', "not_text"),
        (b'{"type":"reader","id":7,"attributes":{"name":"a"}}', "invalid_request"),
        (b'{"type":"reader","id":"x","attributes":[]}', "invalid_request"),
        (b'{"type":"reader","id":"x"}', "invalid_request"),
        (b'{"type":"reader","id":"x","attributes":{"name":NaN}}', "invalid_json"),
        (line("reader", "", name="A"), "empty_id"),
        (line("reader", "a" * 1_001, name="A"), "id_too_long"),
        (line("authz_state", "1", revision=5), "unknown_type"),
        (line("reader", "x"), "missing_attribute"),
        (line("reader", "x", name="A", age=3), "unknown_attribute"),
        (line("reader", "x", name="A", id="y"), "unknown_attribute"),
        (line("reader", "x", name="A", revision=3), "unknown_attribute"),
        (line("reader", "x", name=True), "wrong_type"),
        (line("reader", "x", name={"a": [1]}), "wrong_type"),
        (line("reader", "x", name="A", mentor="nobody"), "dangling_reference"),
        (line("book", "x", title="A", kind="poem", pages=1), "unknown_value"),
        (line("book", "x", title="A", kind="novel", pages=True), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1.0), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=2**31), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=10**400), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1, bought="today"), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1, bought="2026-01-05"), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1, lent=1), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1, lent=None), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1, waiting="mary"), "wrong_type"),
        (line("book", "x", title="A", kind="novel", pages=1, waiting=[["a"]]), "wrong_type"),
        (
            line("book", "x", title="A", kind="novel", pages=1, waiting=["mary", "mary"]),
            "duplicate_item",
        ),
        (
            line("book", "x", title="A", kind="novel", pages=1, waiting=["nobody"]),
            "dangling_reference",
        ),
    ],
)
def test_one_bad_line_refuses_all(store: Store, bad: Any, code: str) -> None:
    """Its number and its code are told, and nothing is written."""
    assert [f"2 {code}"] == refuse(store, MARY, bad, line("reader", "ann", name="Ann"))


def test_every_bad_line_is_told(store: Store) -> None:
    """Of whatever kind its faults are; what follows from them is not."""
    atlas = {"title": "A", "kind": "atlas", "pages": 1, "keeper": "mary"}
    found = refuse(
        store,
        line("reader", "tom", name=1),
        MARY,
        line("reader", "ann", name="Ann", mentor="tom"),
        line("reader", "bob", name="Bob", mentor="ann"),
        line("reader", "eve", name="Eve", mentor="nobody"),
        line("book", "a", **atlas),
        line("book", "b", **atlas),
    )

    assert ["1 wrong_type", "5 dangling_reference", "7 one_atlas_per_reader"] == found


@pytest.mark.parametrize("between", [0, 1_500])
def test_an_id_is_used_once(store: Store, between: int) -> None:
    """However far apart the two lines are."""
    others = [line("reader", f"r{number}", name="R") for number in range(between)]

    assert [f"{between + 2} duplicate_id"] == refuse(store, MARY, *others, MARY)


@pytest.mark.parametrize("between", [0, 98, 1_500])
def test_what_is_referred_to_comes_first(store: Store, between: int) -> None:
    """Whether or not the two lines would have been written at once."""
    others = [line("reader", f"r{number}", name="R") for number in range(between)]

    assert ["1 dangling_reference"] == refuse(store, TOM, *others, MARY)


def test_an_entity_may_refer_to_itself(store: Store) -> None:
    """It is there when it is looked for."""
    assert 1 == bring(store, line("reader", "mary", name="Mary", mentor="mary"))


def test_at_most_a_hundred_faults_are_told(store: Store) -> None:
    """Then it is given up."""
    found = refuse(store, *(line("reader", f"r{number}") for number in range(300)))

    assert [f"{number} missing_attribute" for number in range(1, 101)] == found


def test_a_line_has_an_end(store: Store) -> None:
    """One that is too long is not read into memory, and nothing behind it is."""
    longest = 16 * 1_024 * 1_024

    assert ["2 line_too_long"] == refuse(store, MARY, b"x" * (longest + 1), b"{")
    assert ["2 invalid_json", "3 invalid_json"] == refuse(store, MARY, b"x" * longest, b"{")


def test_members_that_mean_nothing_are_passed_over(store: Store) -> None:
    """So what was read over HTTP is a line."""
    assert 1 == bring(store, {**MARY, "revision": 7})


def test_how_far_it_is_is_told(store: Store) -> None:
    """In bytes, to the last."""
    data = b"\n".join(
        json.dumps(line("reader", f"r{each}", name="R" * 50)).encode() for each in range(2_500)
    )
    told: list[int] = []
    with write(store, Cause(), NOW) as writer:
        importing.import_entities(io.BytesIO(data), "file", writer, LIBRARY, told.append)

    assert 3 == len(told)
    assert len(data) == sum(told)


def test_a_text_that_no_index_holds_is_refused(postgresql_url: str) -> None:
    """By PostgreSQL, in one line; it is not taken for a database that cannot be used."""
    store = open_store(postgresql_url, RECORDS)
    with store.transaction():
        store.create_tables()
    title = secrets.token_hex(10_000)
    data = json.dumps(line("record", "x", status="active", title=title)).encode()
    with pytest.raises(RefusedEntitiesError) as caught, write(store, Cause(), NOW) as writer:
        importing.import_entities(io.BytesIO(data), "file", writer, RECORDS)
    store.close()

    assert ["text_too_long"] == [each.code for each in caught.value.faults]


def test_single_writes_and_many_share_the_revisions(store: Store) -> None:
    """In one transaction, without a gap."""
    with write(store, Cause(), NOW) as writer:
        writer.put(reader("a"))
        writer.put_many("reader", {each: reader(each).values for each in ("b", "c")}, {})
        writer.put(reader("d"))

    assert [("a", 1), ("b", 2), ("c", 3), ("d", 4)] == [
        (each.reference.id, each.revision) for each in find_changes(store, 0, 10)
    ]
