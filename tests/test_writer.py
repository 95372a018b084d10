"""Writing entities: revisions without gaps, and a feed that says what became of what, and why."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from store_suite import LIBRARY, book, reader

from authz_service.store.database import BrokenPromiseError
from authz_service.store.entity import Reference, Row
from authz_service.store.writer import Cause, Change, find_changes, find_revision, write

if TYPE_CHECKING:
    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
BORROWED: Final = Cause("desk", "reader/mary", "borrow", "a rainy day")
EMMA: Final = Reference("book", "emma")


def put(store: Store, *rows: Row) -> None:
    """Write rows in one transaction."""
    with write(store, BORROWED, NOW) as writer:
        for row in rows:
            writer.insert(row)


def test_a_new_store_has_no_revision(store: Store) -> None:
    """Nothing was written yet."""
    assert 0 == find_revision(store)
    assert [] == find_changes(store, 0, 10)


def test_each_write_has_the_next_revision(store: Store) -> None:
    """Two writes of one transaction, and one of the next."""
    put(store, reader("mary"), reader("tom"))
    put(store, reader("ann"))

    assert 3 == find_revision(store)
    assert [(1, "mary"), (2, "tom"), (3, "ann")] == [
        (each.revision, each.reference.id) for each in find_changes(store, 0, 10)
    ]


def test_a_change_says_what_became_of_what_and_why(store: Store) -> None:
    """An entity is made, becomes another, and goes."""
    put(store, reader("mary"), book("emma", bought=NOW))
    with write(store, BORROWED, NOW) as writer:
        writer.update(EMMA, pages=90, waiting=("mary",))
        writer.delete(EMMA)
    made, changed, gone = find_changes(store, 1, 10)

    assert Change(2, NOW, EMMA, None, made.after, BORROWED) == made
    assert made.after
    assert made.after["bought"] == "2026-01-05T09:00:00Z"
    assert changed.before
    assert changed.after == {**changed.before, "pages": 90, "waiting": ["mary"]}
    assert Change(4, NOW, EMMA, changed.after, None, BORROWED, previous=3) == gone


def test_a_change_leads_back_to_the_one_before(store: Store) -> None:
    """Of the same entity, one by one or many at once; an entity that is new has none."""
    put(store, reader("mary"), reader("tom"))
    with write(store, BORROWED, NOW) as writer:
        writer.put(reader("mary"))
        writer.delete(Reference("reader", "tom"))
    with write(store, BORROWED, NOW) as writer:
        readers = {each: reader(each).values for each in ("mary", "tom")}
        writer.put_many("reader", readers, writer.store.find_many("reader", ["mary", "tom"]))

    assert [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 0)] == [
        (each.revision, each.previous) for each in find_changes(store, 0, 10)
    ]


def test_an_update_replaces_lists(store: Store) -> None:
    """What was in a list and is in it no more goes."""
    put(store, reader("mary"), reader("tom"), book("emma", waiting=("mary",)))
    with write(store, BORROWED, NOW) as writer:
        writer.update(EMMA, waiting=("tom",))
    waiting = LIBRARY.schema.types["book"].attributes["waiting"]

    assert ["tom"] == [each.reference.id for each in store.find_related(EMMA, waiting)]


def test_the_feed_can_be_read_on(store: Store) -> None:
    """From any revision, so many at a time."""
    put(store, *map(reader, "abcde"))

    assert [3, 4] == [each.revision for each in find_changes(store, 2, 2)]
    assert [] == find_changes(store, 5, 2)


def test_what_failed_has_no_revision(store: Store) -> None:
    """The number of a transaction that failed is given to the next one."""
    put(store, reader("mary"))
    with pytest.raises(BrokenPromiseError):
        put(store, reader("tom"), reader("mary"))
    put(store, reader("ann"))

    assert [(1, "mary"), (2, "ann")] == [
        (each.revision, each.reference.id) for each in find_changes(store, 0, 10)
    ]


def test_a_refused_write_leaves_no_trace(store: Store) -> None:
    """A transaction that goes on without it has no gap."""
    with write(store, BORROWED, NOW) as writer:
        writer.insert(reader("mary"))
        with pytest.raises(BrokenPromiseError):
            writer.insert(reader("mary"))
        writer.insert(reader("tom"))

    assert [1, 2] == [each.revision for each in find_changes(store, 0, 10)]


def test_what_others_refer_to_cannot_be_removed(store: Store) -> None:
    """A reference leads nowhere in no database."""
    put(store, reader("mary"), reader("tom"))
    with write(store, BORROWED, NOW) as writer:
        writer.update(Reference("reader", "tom"), mentor="mary")
        with pytest.raises(BrokenPromiseError):
            writer.delete(Reference("reader", "mary"))

    assert 3 == find_revision(store)


def test_writers_take_turns(store: Store) -> None:
    """Of many at once, each has revisions of its own, in the order in which they are seen."""

    def add(number: int) -> None:
        put(store, reader(f"a{number}"), reader(f"b{number}"))
        store.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    found = find_changes(store, 0, 100)

    assert list(range(1, 49)) == [each.revision for each in found]
    assert all(
        first.reference.id[1:] == second.reference.id[1:]
        for first, second in zip(found[::2], found[1::2], strict=True)
    )


def test_an_update_keeps_what_it_does_not_name(store: Store) -> None:
    """Lists too."""
    put(store, reader("mary"), book("emma", waiting=("mary",)))
    with write(store, BORROWED, NOW) as writer:
        writer.update(EMMA, pages=90)
        found = writer.get(EMMA)

    assert (("mary",), 90, "emma") == tuple(
        found.values[each] for each in ("waiting", "pages", "title")
    )


def test_a_new_entity_is_told_with_its_defaults(store: Store) -> None:
    """What was not said of it stands in the feed as it is in the store."""
    put(store, book("emma"))
    [change] = find_changes(store, 0, 1)
    found = store.find_whole(EMMA)

    assert found
    assert change.after == {**found.values, "waiting": []}
    assert (False, None, []) == tuple(change.after[each] for each in ("lent", "bought", "waiting"))


@pytest.mark.parametrize("act", ["get", "update", "delete"])
def test_what_is_not_there_cannot_be_changed(store: Store, act: str) -> None:
    """It is told, and nothing is written."""
    with write(store, BORROWED, NOW) as writer, pytest.raises(LookupError, match="book/emma"):
        getattr(writer, act)(EMMA)

    assert 0 == find_revision(store)


def test_texts_of_any_kind_come_back(store: Store) -> None:
    """The feed holds what the entities hold."""
    put(store, Row(Reference("reader", "é/\U0001f600"), {"name": 'quote " and \\ é'}))
    [change] = find_changes(store, 0, 1)

    assert change.after
    assert 'quote " and \\ é' == change.after["name"]
    assert "é/\U0001f600" == change.reference.id
