"""What every store does, as tests that each back end's own file inherits."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import peewee
import pytest

from authz_service.errors import Fault, Place, StoreError
from authz_service.store.database import BrokenPromiseError, open_store
from authz_service.store.domain import Domain, Promise
from authz_service.store.entity import ChoiceField, Entity, InstantField, Reference, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import RunSql

    from authz_service.store.database import Store

T = TypeVar("T")


class Reader(Entity):
    """Somebody who borrows books."""

    name = peewee.TextField()
    mentor = peewee.ForeignKeyField("self", null=True, backref="pupils")


class Book(Entity):
    """A book: who keeps it, and who waits for it."""

    title = peewee.TextField()
    kind = ChoiceField("novel", "atlas")
    pages = peewee.IntegerField()
    bought = InstantField(null=True)
    lent = peewee.BooleanField(default=False)
    keeper = peewee.ForeignKeyField(Reader, null=True, backref="books")
    finder = peewee.ForeignKeyField(Reader, null=True, backref="finds")
    waiting = peewee.ManyToManyField(Reader, backref="wishes")


ONE_ATLAS: Final = Promise(
    "one_atlas_per_reader",
    Book,
    ("keeper_id", "kind"),
    "a reader keeps one atlas at most",
    where="kind = 'atlas'",
)

LIBRARY: Final = Domain(
    name="the library",
    models=(Reader, Book),
    subjects=frozenset({"reader"}),
    actions={"book": ("borrow",)},
    promises=(ONE_ATLAS,),
)

MARY: Final = Reference("reader", "mary")
PUPILS: Final = LIBRARY.schema.types["reader"].attributes["pupils"]
BOOKS: Final = LIBRARY.schema.types["reader"].attributes["books"]
FINDS: Final = LIBRARY.schema.types["reader"].attributes["finds"]
WAITING: Final = LIBRARY.schema.types["book"].attributes["waiting"]


def reader(name: str) -> Row:
    """A reader, by name."""
    return Row(Reference("reader", name), {"name": name.capitalize()})


def book(name: str, /, **values: Any) -> Row:
    """A novel of a hundred pages, unless other values say otherwise."""
    usual = {"title": name, "kind": "novel", "pages": 100}
    return Row(Reference("book", name), {**usual, **values})


def add(store: Store, *rows: Row) -> None:
    """Insert rows in one transaction."""
    with store.transaction():
        for row in rows:
            store.insert(row)


def add_in_vain(store: Store, *rows: Row) -> None:
    """Insert rows in a transaction that fails at its end."""
    with store.transaction():
        add(store, *rows)
        raise KeyError


def make_tables_in_vain(store: Store) -> None:
    """Make the tables in a transaction that fails at its end."""
    with store.transaction():
        store.create_tables()
        raise KeyError


def in_another_thread(store: Store, act: Callable[[], T]) -> T:
    """Do something on a connection of its own."""

    def act_and_close() -> T:
        try:
            return act()
        finally:
            store.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(act_and_close).result()


def related_ids(store: Store, reference: Reference, collection: Any) -> list[str]:
    """The ids of a collection, sorted."""
    return sorted(row.reference.id for row in store.find_related(reference, collection))


class StoreSuite:
    """The contract; a back end's class says by a fixture `url` where a new database is."""

    @pytest.fixture
    def new_store(self, url: str) -> Iterator[Store]:
        """A store without tables."""
        store = open_store(url, LIBRARY)
        yield store
        store.close()

    @pytest.fixture
    def store(self, new_store: Store) -> Store:
        """A store with tables and a reader, Mary."""
        with new_store.transaction():
            new_store.create_tables()
            new_store.insert(reader("mary"))
        return new_store

    def test_a_new_database_has_no_tables(self, new_store: Store) -> None:
        """A database that was just made has no tables."""
        assert not new_store.has_tables()

    def test_tables_are_there_once_made(self, new_store: Store) -> None:
        """A store has tables after they were made."""
        with new_store.transaction():
            new_store.create_tables()

        assert new_store.has_tables()

    def test_tables_go_with_the_transaction_that_failed(self, new_store: Store) -> None:
        """A transaction that fails makes no tables."""
        with pytest.raises(KeyError):
            make_tables_in_vain(new_store)

        assert not new_store.has_tables()

    def test_tables_are_not_made_twice(self, store: Store) -> None:
        """A store that has tables refuses to make them again."""
        with pytest.raises(StoreError) as caught, store.transaction():
            store.create_tables()

        assert caught.value.faults[0].code == "database_error"

    def test_a_store_goes_on_after_an_error(self, store: Store) -> None:
        """A statement that the database cannot execute costs nothing that was stored."""
        with pytest.raises(StoreError), store.transaction():
            store.create_tables()

        assert store.find(MARY)

    def test_a_question_without_tables_is_refused(self, new_store: Store) -> None:
        """A snapshot of a database without tables gives an error of ours."""
        with pytest.raises(StoreError) as caught, new_store.snapshot():
            new_store.find(MARY)

        assert caught.value.faults[0].code == "database_error"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("title", 'L\'été, 100% "sûr"; \\ 😀\n'),
            ("title", ""),
            ("title", "x" * 1000),
            ("kind", "atlas"),
            ("pages", -7),
            ("bought", datetime(2026, 1, 5, 9, 30, tzinfo=UTC)),
            ("bought", None),
            ("lent", True),
            ("lent", False),
            ("keeper", "mary"),
            ("keeper", None),
        ],
    )
    def test_a_value_comes_back_as_it_was_stored(self, store: Store, name: str, value: Any) -> None:
        """An entity that is found has the very values that were inserted."""
        add(store, book("ulysses", **{name: value}))
        found = store.find(Reference("book", "ulysses"))

        assert found
        assert (type(value), value) == (type(found.values[name]), found.values[name])

    def test_a_row_holds_the_attributes_of_its_type(self, store: Store) -> None:
        """An entity that is found has its own attributes, defaults included, and no collection."""
        add(store, book("ulysses", waiting=("mary",)))
        expected = Row(
            Reference("book", "ulysses"),
            {
                "id": "ulysses",
                "title": "ulysses",
                "kind": "novel",
                "pages": 100,
                "bought": None,
                "lent": False,
                "keeper": None,
                "finder": None,
            },
        )

        assert expected == store.find(Reference("book", "ulysses"))

    @pytest.mark.parametrize(
        "reference",
        [
            Reference("reader", "nobody"),
            Reference("reader", "Mary"),
            Reference("reader", ""),
            Reference("book", "mary"),
            Reference("shelf", "mary"),
            Reference("book_reader_through", "1"),
            Reference("reader", "mary' OR '1'='1"),
            Reference("reader", "mary\0"),
            Reference("reader", "mary\ud800"),
        ],
        ids=ascii,
    )
    def test_what_is_not_there_is_not_found(self, store: Store, reference: Reference) -> None:
        """An id or a type that does not exist is found as nothing, whatever its characters."""
        assert store.find(reference) is None

    def test_a_collection_is_seen_from_the_other_side(self, store: Store) -> None:
        """A derived collection is those that refer to the entity by that very attribute."""
        add(
            store,
            reader("thomas"),
            book("ulysses", keeper="mary"),
            book("emma", keeper="mary", finder="thomas"),
            book("molloy", keeper="thomas", finder="mary"),
            book("nana"),
        )
        expected = (["emma", "ulysses"], ["molloy"])

        assert expected == (related_ids(store, MARY, BOOKS), related_ids(store, MARY, FINDS))

    def test_a_list_is_found_by_what_holds_it(self, store: Store) -> None:
        """A many-to-many collection is those that were listed with the entity."""
        add(
            store,
            reader("thomas"),
            reader("philip"),
            book("ulysses", waiting=("thomas", "mary")),
            book("emma", waiting=("philip",)),
        )
        expected = ["mary", "thomas"]

        assert expected == related_ids(store, Reference("book", "ulysses"), WAITING)

    @pytest.mark.parametrize("collection", [BOOKS, WAITING], ids=["derived", "listed"])
    def test_a_collection_can_be_empty(self, store: Store, collection: Any) -> None:
        """A collection without members, even of an entity that is not there, is an empty list."""
        owner = "reader" if collection is BOOKS else "book"

        assert not store.find_related(Reference(owner, "nobody"), collection)

    def test_a_type_may_refer_to_itself(self, store: Store) -> None:
        """A collection of an entity's own type is found like any other."""
        add(store, Row(Reference("reader", "thomas"), {"name": "Thomas", "mentor": "mary"}))
        expected = ["thomas"]

        assert expected == related_ids(store, MARY, PUPILS)

    def test_related_entities_come_whole(self, store: Store) -> None:
        """A member of a collection is the row that finding it gives."""
        add(store, book("ulysses", keeper="mary", pages=933))

        assert [store.find(Reference("book", "ulysses"))] == store.find_related(MARY, BOOKS)

    def test_a_broken_promise_is_told_by_its_code(self, store: Store) -> None:
        """A row that would break a promise is refused with the promise's code and sentence."""
        add(store, book("world", kind="atlas", keeper="mary"))
        message = "breaks a promise: a reader keeps one atlas at most"
        expected = (Fault(Place("book/moon"), "one_atlas_per_reader", message),)

        with pytest.raises(BrokenPromiseError) as caught:
            add(store, book("moon", kind="atlas", keeper="mary"))

        assert expected == caught.value.faults

    def test_a_promise_binds_only_those_that_it_is_about(self, store: Store) -> None:
        """A row outside a promise's condition is stored."""
        add(store, book("ulysses", keeper="mary"), book("emma", keeper="mary"))
        expected = ["emma", "ulysses"]

        assert expected == related_ids(store, MARY, BOOKS)

    @pytest.mark.parametrize(
        "row",
        [
            reader("mary"),
            book("ulysses", keeper="nobody"),
            book("ulysses", waiting=("nobody",)),
            book("ulysses", waiting=("mary", "nobody")),
            book("ulysses", waiting=("mary", "mary")),
            book("ulysses", kind="poem"),
            book("ulysses", kind="Novel"),
            book("ulysses", pages=None),
        ],
        ids=[
            "id taken",
            "reference to nobody",
            "list of nobody",
            "list with nobody",
            "list with repetition",
            "unknown choice",
            "choice in another case",
            "nothing where something must be",
        ],
    )
    def test_the_database_itself_refuses_a_wrong_row(self, store: Store, row: Row) -> None:
        """A row that contradicts the schema is refused, with the row as the place."""
        with pytest.raises(BrokenPromiseError) as caught:
            add(store, row)

        assert [(Place(str(row.reference)), "refused_by_database")] == [
            (fault.where, fault.code) for fault in caught.value.faults
        ]

    def test_a_refusal_is_one_line(self, store: Store) -> None:
        """A message of the database is told without its line breaks."""
        with pytest.raises(BrokenPromiseError) as caught:
            add(store, reader("mary"))

        assert [str(caught.value)] == str(caught.value).splitlines()

    def test_a_row_with_a_wrong_list_is_not_stored_at_all(self, store: Store) -> None:
        """A refusal of a listed member leaves nothing of its row."""
        with store.transaction(), pytest.raises(BrokenPromiseError):
            store.insert(book("ulysses", waiting=("mary", "nobody")))

        assert store.find(Reference("book", "ulysses")) is None

    def test_a_transaction_goes_on_without_a_refused_row(self, store: Store) -> None:
        """A refused row takes neither those before it with it, nor those after."""
        with store.transaction():
            store.insert(reader("thomas"))
            with pytest.raises(BrokenPromiseError):
                store.insert(reader("mary"))
            store.insert(reader("philip"))

        assert store.find(Reference("reader", "thomas"))
        assert store.find(Reference("reader", "philip"))

    def test_a_transaction_is_all_or_nothing(self, store: Store) -> None:
        """A transaction that fails at the end stores nothing of what came before."""
        with pytest.raises(KeyError):
            add_in_vain(
                store, reader("thomas"), book("ulysses", keeper="thomas", waiting=("mary",))
            )

        assert store.find(Reference("reader", "thomas")) is None
        assert not store.find_related(Reference("book", "ulysses"), WAITING)

    def test_a_transaction_sees_its_own_changes(self, store: Store) -> None:
        """A snapshot inside a transaction shows what the transaction has inserted."""
        with store.transaction():
            store.insert(reader("thomas"))
            with store.snapshot():
                assert store.find(Reference("reader", "thomas"))

    def test_an_error_of_the_caller_passes_through(self, store: Store) -> None:
        """A snapshot changes nothing about errors that are not the database's."""
        with pytest.raises(KeyError, match="mine"), store.snapshot():
            raise KeyError("mine")


class SharedStoreSuite(StoreSuite):
    """What a store does besides, where several connections reach the same database."""

    def test_entities_stay_when_the_store_is_closed(self, store: Store, url: str) -> None:
        """A store that is opened again holds what it held."""
        store.close()
        again = open_store(url, LIBRARY)
        found = again.find(MARY)
        again.close()

        assert found

    def test_a_closed_store_opens_by_itself(self, store: Store) -> None:
        """A store answers after its connection was closed."""
        store.close()

        assert store.find(MARY)

    def test_another_thread_sees_what_was_committed(self, store: Store) -> None:
        """A store is shared by threads, each with a connection of its own."""
        assert in_another_thread(store, lambda: store.find(MARY))

    def test_nobody_else_sees_what_is_not_committed(self, store: Store) -> None:
        """A row becomes visible to others with the commit, not before."""
        thomas = Reference("reader", "thomas")
        with store.transaction():
            store.insert(reader("thomas"))
            before = in_another_thread(store, lambda: store.find(thomas))

        assert before is None
        assert in_another_thread(store, lambda: store.find(thomas))

    def test_a_snapshot_stays_what_it_was(self, store: Store) -> None:
        """A snapshot shows one state, though another thread commits meanwhile."""
        with store.snapshot():
            before = store.find_related(MARY, BOOKS)
            in_another_thread(store, lambda: add(store, book("ulysses", keeper="mary")))

            assert before == store.find_related(MARY, BOOKS)

    def test_the_next_snapshot_is_of_the_new_state(self, store: Store) -> None:
        """A snapshot that is taken after a commit shows it."""
        with store.snapshot():
            store.find_related(MARY, BOOKS)
            in_another_thread(store, lambda: add(store, book("ulysses", keeper="mary")))
        with store.snapshot():
            assert store.find_related(MARY, BOOKS)

    def test_writers_wait_for_each_other(self, store: Store) -> None:
        """Eight threads that write at the same moment all succeed."""
        titles = [f"book-{number}" for number in range(8)]
        together = threading.Barrier(len(titles))

        def write(title: str) -> None:
            together.wait()
            try:
                add(store, book(title, keeper="mary"))
            finally:
                store.close()

        with ThreadPoolExecutor(max_workers=len(titles)) as pool:
            list(pool.map(write, titles))

        assert titles == related_ids(store, MARY, BOOKS)

    @pytest.mark.parametrize(
        ("lacking", "statements"),
        [
            ("`book`, `book_reader_through`, `reader`", ["CREATE TABLE album (id TEXT)"]),
            (
                "`book_reader_through`",
                ["CREATE TABLE book (id TEXT)", "CREATE TABLE reader (id TEXT)"],
            ),
        ],
        ids=["all", "one"],
    )
    def test_a_database_of_somebody_else_is_refused(
        self, new_store: Store, run_sql: RunSql, lacking: str, statements: list[str]
    ) -> None:
        """A database with tables, but not all of ours, is refused with the names of the missing."""
        for statement in statements:
            run_sql(statement)
        expected = [
            (
                "foreign_database",
                f"has tables, but lacks {lacking}; it is not a store of the library",
            )
        ]

        with pytest.raises(StoreError) as caught:
            new_store.has_tables()

        assert expected == [(fault.code, fault.message) for fault in caught.value.faults]
