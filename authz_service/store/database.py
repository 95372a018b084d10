"""The store: entities in SQLite or PostgreSQL, chosen by URL."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import peewee
import psycopg

from authz_service.errors import AuthzError, Fault, Place, StoreError
from authz_service.store.entity import REVISION, Reference, Row, find_link, is_text, type_name
from authz_service.store.mishap import explained, is_sqlite, name_database, write_one_line
from authz_service.store.postgresql import PostgresqlPool
from authz_service.store.rows import Rows
from authz_service.store.tables import Tables
from authz_service.store.url import build_database
from authz_service.store.watch import Watch, ask_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz_service.polar.schema import Attribute
    from authz_service.store.domain import Domain
    from authz_service.store.entity import Entity
    from authz_service.store.migration import Migration
    from authz_service.store.prepared import Prepared
    from authz_service.store.rows import Whole
    from authz_service.store.statement import Insertion
    from authz_service.store.tables import Standing

# What PostgreSQL says of a text that an index cannot hold; SQLite holds any.
_TOO_LONG: Final = psycopg.errors.ProgramLimitExceeded
# How many ids are read at once where all are gone through.
_CHUNK: Final = 1_000
_CONNECTIONS: Final = 20


class BrokenPromiseError(AuthzError):
    """A row that the database refused because a promise of the domain would not hold."""

    http_status = 409


class Store:
    """The entities of one domain in one database.

    Safe to share between threads. To SQLite each has a connection of its own, opened when it first
    asks; to PostgreSQL each borrows one from a pool. A store in memory belongs to the thread that
    made it. Nothing is cached.

    Arguments:
        database: where they are.
        domain: says which there are.

    Attributes:
        viewed: the tables before which views of what was stand; none unless it is the past.
    """

    def __init__(self, database: peewee.Database, domain: Domain) -> None:
        self._database = database
        self.domain = domain
        self.viewed: frozenset[str] = frozenset()
        self._models = {type_name(model): model for model in domain.models if model.stored}
        self._rows_of = {name: Rows(database, each) for name, each in self._models.items()}
        self._is_sqlite = is_sqlite(database)
        self._tables = Tables(database, domain)
        self._watches = threading.local()

    def has_tables(self) -> bool:
        """Tell whether the tables of the domain are there.

        Raises:
            StoreError: when only some of them are, or tables of somebody else.
        """
        with explained(self._database):
            missing = self._tables.find_missing()
        if missing is None:
            return False
        if missing:
            listed = ", ".join(f"`{name}`" for name in missing)
            message = f"has tables, but lacks {listed}; it is not a store of {self.domain.name}"
            raise StoreError.at(name_database(self._database), "foreign_database", message)
        return True

    def create_tables(self) -> None:
        """Make the tables and what holds the promises; call it inside a transaction."""
        with explained(self._database):
            self._tables.create()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read one state of the store, whatever is written meanwhile."""
        isolation = () if is_sqlite(self._database) else ("REPEATABLE READ",)
        with explained(self._database), self._database.atomic(*isolation):
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything or nothing."""
        lock = ("IMMEDIATE",) if is_sqlite(self._database) else ()
        with explained(self._database), self._database.atomic(*lock):
            yield

    def find(self, reference: Reference) -> Row | None:
        """Find an entity; None when there is none, or no such type is stored."""
        model = self._models.get(reference.type)
        if model is None:
            return None
        whole = self.find_whole(reference)
        if whole is None:
            return None
        own = {name: value for name, value in whole.values.items() if not isinstance(value, tuple)}
        return replace(whole, values={"id": reference.id, **own})

    def find_whole(self, reference: Reference) -> Row | None:
        """Find an entity with all that is written on it, lists too, and without its id."""
        if not is_text(reference.id):
            return None
        return self.find_many(reference.type, [reference.id]).get(reference.id)

    def find_many(self, kind: str, ids: Sequence[str]) -> dict[str, Row]:
        """Find several entities of one type in the same way, by their ids, which are texts."""
        rows = self._rows_of.get(kind)
        if rows is None:
            return {}
        with explained(self._database):
            return rows.find_many(ids)

    def walk(self, kind: str) -> Iterator[Row]:
        """Go through all entities of a type, whole, in the order of their ids, byte by byte.

        Call it inside a transaction, or a snapshot.
        """
        with explained(self._database):
            yield from self._rows_of[kind].walk()

    def fill_in(self, kind: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add to what an entity holds what is not said: defaults, nothing, and empty lists."""
        return self._rows_of[kind].fill_in(values)

    def find_ids(self, kind: str, after: str = "") -> Iterator[str]:
        """Go through the ids of all entities of a type, in the order of the database.

        Arguments:
            kind: the type; of one that is not stored there are none.
            after: the id behind which to begin.
        """
        model = self._models.get(kind)
        while model is not None:
            query = model.select(model.id).where(model.id > after).order_by(model.id)
            found = [key for (key,) in self.run(query.limit(_CHUNK).tuples())]
            yield from found
            if len(found) < _CHUNK:
                return
            after = found[-1]

    def find_related(self, reference: Reference, attribute: Attribute) -> list[Row]:
        """Find the entities that a collection attribute of an entity stands for, in no order."""
        model, target = self._models[reference.type], self._models[attribute.type]
        if attribute.derived:
            field = next(
                key
                for key, other in model._meta.backrefs.items()  # noqa: SLF001  # peewee's interface
                if key.backref == attribute.name and other is target
            )
            return self._rows(target, target.select().where(field == reference.id))
        through, here, there = find_link(model, attribute.name)
        query = target.select().join(through, on=(there == target.id)).where(here == reference.id)
        return self._rows(target, query)

    def execute(
        self, texts: Mapping[str, str], parameters: Sequence[Any], time_limit: int
    ) -> list[tuple[Any, ...]]:
        """Run a statement that reads, and give back its rows.

        Arguments:
            texts: the statement, as `sqlite` and as `postgresql` write it.
            parameters: what it binds, in order.
            time_limit: milliseconds that it may take.

        Raises:
            EvaluationTimeoutError: when it takes longer; the database has given up on it.
            StoreError: when the database cannot answer.
        """
        try:
            connection = self._database.connection()
            if self._is_sqlite:
                return self._watch(connection).fetch(texts["sqlite"], parameters, time_limit)
            nested = self._database.in_transaction()
            with self._database.atomic():
                rows = ask_postgresql(connection, texts["postgresql"], parameters, time_limit)
                if nested:  # what follows in the transaction is not held to it
                    connection.execute("SET LOCAL statement_timeout TO DEFAULT")
                return rows
        except (sqlite3.Error, psycopg.Error, peewee.PeeweeException) as error:
            with explained(self._database):
                raise peewee.DatabaseError(*error.args) from error

    def _watch(self, connection: sqlite3.Connection) -> Watch:
        """Find what watches the time of this thread's connection."""
        watch: Watch | None = getattr(self._watches, "mine", None)
        if watch is None or watch.connection is not connection:
            watch = self._watches.mine = Watch(connection)
        return watch

    def find_standing(self) -> Standing:
        """Find which migrations are still to be run, and which nobody here knows."""
        with explained(self._database):
            return self._tables.find_standing()

    def migrate(self) -> list[Migration]:
        """Run the migrations that are still to be run; call it inside a transaction."""
        with explained(self._database):
            return self._tables.migrate()

    @property
    def url(self) -> str:
        """Where it is; can hold a password."""
        name = str(self._database.database)
        return f"sqlite:///{name}" if self._is_sqlite else name

    @property
    def is_sqlite(self) -> bool:
        """Whether whoever writes holds the whole database from the first moment."""
        return self._is_sqlite

    def run(self, query: peewee.BaseQuery) -> Any:
        """Run a query about a table that is no entity's, and give back what it gives.

        Raises:
            StoreError: when the database cannot answer.
        """
        with explained(self._database):
            return query.execute(self._database)

    def ask(self, statement: Prepared, /, **values: Any) -> list[tuple[Any, ...]]:
        """Run a statement that is built once, and give back its rows as the database has them.

        Raises:
            StoreError: when the database cannot answer.
        """
        with explained(self._database):
            return statement.run(self._database, **values)

    def add(self, insertion: Insertion, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows, as the database has them, to such a table; as above."""
        with explained(self._database):
            insertion.run(self._database, rows)

    def insert(self, row: Row, revision: int = 0) -> None:
        """Add one entity; the change stays when the surrounding transaction commits.

        Arguments:
            row: the entity.
            revision: of this write.

        Raises:
            BrokenPromiseError: when the database refuses; the transaction can go on without it.
        """
        with self.attempt(row.reference):
            values = self.fill_in(row.reference.type, row.values)
            self.insert_many(row.reference.type, [(revision, row.reference.id, values)])

    def update(self, row: Row, revision: int) -> None:
        """Give one entity other values, all of which the row has; as above.

        Raises:
            BrokenPromiseError: when the database refuses; the transaction can go on without it.
        """
        with self.attempt(row.reference):
            self.update_many(row.reference.type, [(revision, row.reference.id, row.values)])

    def delete(self, reference: Reference) -> None:
        """Remove one entity; as above.

        Raises:
            BrokenPromiseError: when others refer to it.
        """
        with self.attempt(reference):
            self._rows_of[reference.type].delete(reference.id)

    def insert_many(self, kind: str, entities: Sequence[Whole]) -> None:
        """Add entities of one type, which are whole; call it in an attempt."""
        if entities:
            self._rows_of[kind].insert_many(entities)

    def update_many(self, kind: str, entities: Sequence[Whole]) -> None:
        """Give entities of one type other values, all of which there are; as above."""
        if entities:
            self._rows_of[kind].update_many(entities)

    @contextmanager
    def attempt(self, reference: Reference) -> Iterator[None]:
        """Write something that the database may refuse; the transaction can go on without it.

        Arguments:
            reference: what it is about.

        Raises:
            BrokenPromiseError: when the database refuses.
        """
        try:
            with self._database.atomic():
                yield
        except peewee.IntegrityError as error:
            raise BrokenPromiseError([self._explain(reference, error)]) from error
        except peewee.OperationalError as error:
            if not isinstance(getattr(error, "orig", None), _TOO_LONG):
                raise
            message = "the database refuses it: a text is too long for an index that it stands in"
            raise BrokenPromiseError.at(str(reference), "text_too_long", message) from error

    def copy_to(self, other: Store) -> None:
        """Fill another store with what is in this one, tables included; both are of SQLite."""
        with explained(self._database):
            self._database.connection().backup(other._database.connection())

    def close(self) -> None:
        """Close this thread's connection, and those that nobody uses."""
        self._database.close()
        if isinstance(self._database, PostgresqlPool):
            self._database.close_idle()

    def _rows(self, model: type[Entity], query: peewee.ModelSelect[Any]) -> list[Row]:
        name = type_name(model)
        kept = self.domain.schema.types[name].attributes
        return [
            Row(
                Reference(name, values["id"]),
                {key: value for key, value in values.items() if key in kept},
                values[REVISION],
            )
            for values in self.run(query.dicts())
        ]

    def _explain(self, reference: Reference, error: peewee.IntegrityError) -> Fault:
        place = Place(str(reference))
        for promise in self.domain.promises:
            if promise.is_named_in(error):
                return Fault(place, promise.code, f"breaks a promise: {promise.message}")
        return Fault(
            place, "refused_by_database", f"the database refuses it: {write_one_line(error)}"
        )


def open_store(
    url: str, domain: Domain, *, in_place: bool = True, connections: int = _CONNECTIONS
) -> Store:
    """Open the store at a URL: `sqlite:///PATH`, `sqlite:///:memory:` or `postgresql://...`.

    Arguments:
        url: where it is.
        domain: what it holds.
        in_place: read the file of SQLite where it lies. Each commit of another process lets go of
            it, and then it has to be found page by page again.
        connections: how many to PostgreSQL there may be at once.

    Raises:
        StoreError: when the URL cannot be used. Whether the database answers is seen when it is
            first asked.
    """
    return Store(build_database(url, in_place=in_place, connections=connections), domain)
