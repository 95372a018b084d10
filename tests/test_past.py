"""A store as it was at a revision: what was there then, whatever is written since and meanwhile."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import peewee
import psycopg
import pytest
from store_suite import BOOKS, LIBRARY, WAITING, Reader, book, reader, related_ids

from authz_service.errors import HistoryError, StoreError
from authz_service.store.database import open_store
from authz_service.store.domain import Domain
from authz_service.store.entity import Entity, Reference, Row
from authz_service.store.past import open_at
from authz_service.store.url import MEMORY
from authz_service.store.writer import Cause, find_changes, find_revision, write

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
EMMA: Final = Reference("book", "emma")
MARY: Final = Reference("reader", "mary")
# A value for each revision of the book; None where there was none.
EMMA_AT: Final[dict[int, dict[str, Any] | None]] = {
    0: None,
    2: None,
    3: {"pages": 100, "bought": NOW, "waiting": ("mary",)},
    4: {"pages": 100, "bought": NOW, "waiting": ("mary", "tom")},
    5: {"pages": 90, "bought": None, "waiting": ("mary", "tom")},
    6: None,
    7: {"pages": 80, "bought": None, "waiting": ()},
}


@pytest.fixture
def store(store: Store) -> Store:
    """A library with a book that is bought, changed, given away, and bought again."""
    with write(store, Cause(), NOW) as writer:
        writer.insert(reader("mary"))
        writer.insert(reader("tom"))
        writer.insert(book("emma", bought=NOW, waiting=("mary",)))
    with write(store, Cause(), NOW + timedelta(days=1)) as writer:
        writer.update(EMMA, waiting=("mary", "tom"))
        writer.update(EMMA, pages=90, bought=None)
        writer.delete(EMMA)
        writer.insert(book("emma", pages=80))
    return store


@pytest.mark.parametrize(("revision", "expected"), EMMA_AT.items())
def test_an_entity_is_what_it_was(
    store: Store, revision: int, expected: dict[str, Any] | None
) -> None:
    """With its values, its lists, and the revision that wrote it."""
    with open_at(store, revision) as past:
        found = past.find_whole(EMMA)

    if expected is None:
        assert found is None
    else:
        assert found
        assert expected == {name: found.values[name] for name in expected}
        assert revision == found.revision


def test_lists_and_collections_are_what_they_were(store: Store) -> None:
    """Seen from either side, also where only the other side has changed since."""
    with write(store, Cause(), NOW) as writer:
        writer.update(EMMA, keeper="mary", waiting=("tom",))
        writer.update(EMMA, keeper=None, waiting=())
        writer.update(MARY, name="Maria")
    with open_at(store, 8) as past:
        assert ["tom"] == related_ids(past, EMMA, WAITING)
        assert ["emma"] == related_ids(past, MARY, BOOKS)
        assert ["mary", "tom"] == list(past.find_ids("reader"))
    with open_at(store, 9) as past:
        assert [] == related_ids(past, EMMA, WAITING)
        assert [] == related_ids(past, MARY, BOOKS)


def test_a_list_is_found_by_its_own_column(url: str) -> None:
    """Though the entity on which it is written has a column of the same name."""

    class Team(Entity):
        """A team in a team: its column is called like that of the table between."""

        team = peewee.ForeignKeyField("self", null=True)
        members = peewee.ManyToManyField(Reader)

    domain = Domain("teams", (Reader, Team), frozenset({"reader"}), {"team": ("join",)})
    top, part = (Row(Reference("team", each), {"members": ("mary",)}) for each in ("top", "part"))
    with closing(open_store(url, domain)) as store:
        with store.transaction():
            store.create_tables()
        with write(store, Cause(), NOW) as writer:
            for row in (reader("mary"), top, replace(part, values={**part.values, "team": "top"})):
                writer.insert(row)
            writer.insert(Row(Reference("team", "new"), {}))
        with open_at(store, 3) as past:
            found = past.find_many("team", ["top", "part"])

    assert [("mary",), ("mary",)] == [each.values["members"] for each in found.values()]


def test_all_entities_of_then_are_gone_through(store: Store) -> None:
    """Those that came later are not among them, and those that went are."""
    with write(store, Cause(), NOW) as writer:
        writer.insert(book("atlas"))
        writer.delete(EMMA)
    with open_at(store, 7) as past, past.snapshot():
        found = list(past.walk("book"))

    assert [(EMMA, 7)] == [(each.reference, each.revision) for each in found]


def test_the_feed_and_the_revision_are_those_of_then(store: Store) -> None:
    """What came later is not known yet."""
    with open_at(store, 4) as past:
        assert 4 == find_revision(past)
        assert [3, 4] == [each.revision for each in find_changes(past, 2, 10)]


def test_many_changes_are_undone(store: Store) -> None:
    """More than are in memory at once, of several types, some of them new."""
    names = [f"r{number:04}" for number in range(1_500)]
    for before in (0, 1_500):
        readers = {each: {"name": f"{each}{before}"} for each in names}
        with write(store, Cause(), NOW) as writer:
            writer.put_many("reader", readers, writer.store.find_many("reader", names))
            writer.update(EMMA, pages=before)
    with open_at(store, 7 + 1_501) as past:
        found = past.find_many("reader", names)

        assert {f"{each}0" for each in names} == {each.values["name"] for each in found.values()}
        assert set(range(8, 8 + 1_500)) == {each.revision for each in found.values()}
        assert 0 == (past.find(EMMA) or book("none")).values["pages"]
    with open_at(store, 7) as past:
        assert {} == past.find_many("reader", names)


def test_what_is_written_meanwhile_is_not_seen(store: Store) -> None:
    """All that is read is of one state, and nobody waits for whoever reads."""
    with open_at(store, 5) as past:
        with write(store, Cause(), NOW) as writer:
            writer.update(EMMA, pages=1)
            writer.update(MARY, name="Maria")

        assert 90 == (past.find(EMMA) or book("none")).values["pages"]
        assert "Mary" == (past.find(MARY) or book("none")).values["name"]


def test_nothing_is_left_behind(store: Store) -> None:
    """The store itself is as it is, before, meanwhile and after."""
    with open_at(store, 5):
        assert 80 == (store.find(EMMA) or book("none")).values["pages"]

    assert 7 == find_revision(store)
    assert 80 == (store.find(EMMA) or book("none")).values["pages"]


@pytest.mark.parametrize("row", [reader("ann"), book("atlas")])
def test_the_past_cannot_be_written(store: Store, row: Row) -> None:
    """Whether entities of that type have changed since or not."""
    kind, entity_id = row.reference.type, row.reference.id
    with pytest.raises(StoreError), open_at(store, 6) as past, past.transaction():
        past.insert_many(kind, [(8, entity_id, past.fill_in(kind, row.values))])

    assert store.find(row.reference) is None


def test_the_past_belongs_to_whoever_opened_it(store: Store) -> None:
    """Another thread is refused in SQLite, or sees the same: never what is so now."""
    found: list[object] = []

    def look() -> None:
        try:
            found.append((past.find(EMMA) or book("none")).values["pages"])
        except StoreError as error:
            found.append(error.faults[0].code)

    with open_at(store, 5) as past:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert found in (["database_error"], [90])


def test_the_past_does_not_open_again(store: Store) -> None:
    """Once it is closed nothing is read, rather than what is so now."""
    with open_at(store, 5) as past:
        pass
    with pytest.raises(StoreError):
        past.find(EMMA)


def test_attributes_that_came_later_have_their_defaults(store: Store, run_sql: RunSql) -> None:
    """A line of before may lack one, or have one that is no more."""
    run_sql(
        """UPDATE authz_change SET before = '{"title": "emma", "kind": "novel", "pages": 5, "x": 1}'
        WHERE revision = 6"""
    )
    with open_at(store, 5) as past:
        found = past.find_whole(EMMA)

    assert found
    assert (5, False, ()) == tuple(found.values[name] for name in ("pages", "lent", "waiting"))


@pytest.mark.parametrize("revision", [8, 10**15])
def test_a_revision_to_come_is_refused(store: Store, revision: int) -> None:
    """What is not written yet nobody knows."""
    with pytest.raises(HistoryError, match="reached revision 7 only"), open_at(store, revision):
        pass


def test_a_feed_with_a_gap_is_not_read_across(store: Store, run_sql: RunSql) -> None:
    """Rather than to show what was not so, it is said."""
    run_sql("DELETE FROM authz_change WHERE revision = 5")
    with pytest.raises(HistoryError, match="lacks changes behind revision 4"), open_at(store, 4):
        pass
    with open_at(store, 5) as past:
        assert past.find(EMMA)


def test_a_store_in_memory_has_no_past() -> None:
    """It has one connection, which is in use."""
    with (
        closing(open_store(MEMORY, LIBRARY)) as store,
        pytest.raises(HistoryError, match="in memory has no past"),
        open_at(store, 0),
    ):
        pass


def test_views_come_first_whatever_the_user_is_set_to(postgresql_url: str) -> None:
    """A search path of PostgreSQL that has what is temporary last does not turn it round."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA books")
        database = connection.info.dbname.encode()
        connection.execute(b"ALTER DATABASE " + database + b" SET search_path = books, pg_temp")
    with closing(open_store(postgresql_url, LIBRARY)) as store:
        with store.transaction():
            store.create_tables()
        for name in ("Mary", "Maria"):
            with write(store, Cause(), NOW) as writer:
                writer.put(Row(MARY, {"name": name}))
        with open_at(store, 1) as past:
            found = past.find(MARY)

    assert found
    assert "Mary" == found.values["name"]


def test_one_row_is_looked_up_by_its_index(sqlite_url: str) -> None:
    """SQLite puts the id into both halves of a view, and reads neither of them whole."""
    with closing(open_store(sqlite_url, LIBRARY)) as store:
        with store.transaction():
            store.create_tables()
        with write(store, Cause(), NOW) as writer:
            writer.insert(reader("mary"))
            writer.update(MARY, name="Maria")
        with open_at(store, 1) as past:
            statement = "EXPLAIN QUERY PLAN SELECT name FROM reader WHERE id = 'mary'"
            steps = [row[3] for row in past.execute({"sqlite": statement}, (), 1_000)]

    assert [each for each in steps if each.startswith("SCAN")] == []
    assert 2 == sum(each.startswith("SEARCH") for each in steps)
