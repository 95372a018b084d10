"""A store as it was: views of then in the place of the tables of now.

Nothing is undone in the tables. Where no entity of a type was written since, its table is as it
was. Where one was, a temporary view takes the place of the table, for one connection alone: of the
rows that are as they were, which their own revision tells, and of those of a temporary table that
has what the others were. That is what the first change since found, in the feed. Either database
looks for a name among what is temporary first, so nobody who asks need know.

An example, the memberships as of revision 41, when one of them was written since:

    CREATE TEMPORARY VIEW "membership" AS
    SELECT "id", "revision", "customer_id", ... FROM main."membership" WHERE "revision" <= 41
    UNION ALL SELECT "id", "revision", "customer_id", ... FROM "authz_past_membership"

Both databases put what is looked for into the two halves of such a view, so a row is found by the
indexes of its table. What it takes to make the views follows the number of changes since.

The feed and the revision of the store are shown as of then as well. All other tables are as they
are: messages, keys, and what a domain keeps for itself.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.errors import HistoryError
from authz_service.polar.schema import DATETIME
from authz_service.store.attributes import find_writable
from authz_service.store.database import Store
from authz_service.store.entity import REVISION, Reference, Row, find_link, find_links, type_name
from authz_service.store.history import AT
from authz_service.store.mishap import explained, is_sqlite
from authz_service.store.rows import Rows
from authz_service.store.statement import mark
from authz_service.store.system import ChangeLine, State
from authz_service.store.url import MEMORY, build_database
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.domain import Domain
    from authz_service.store.entity import Entity

_PAST: Final = "authz_past_"
# How many past rows are in memory at once.
_CHUNK: Final = 1_000
# The first change since of each entity.
_CREATE_FIRST: Final = "CREATE TEMPORARY TABLE authz_first (revision BIGINT NOT NULL PRIMARY KEY)"
_FIND_FIRST: Final = (
    "INSERT INTO authz_first SELECT MIN(revision) FROM authz_change WHERE revision > ?"
    " GROUP BY type, entity_id"
)
_READ: Final = (
    "SELECT line.revision, line.previous, line.type, line.entity_id, line.before"
    " FROM authz_first JOIN authz_change AS line ON line.revision = authz_first.revision"
    " WHERE authz_first.revision > ? AND line.before IS NOT NULL"
    f" ORDER BY authz_first.revision LIMIT {_CHUNK}"
)


@contextmanager
def open_at(store: Store, revision: int) -> Iterator[Store]:
    """Open a store as it was at a revision, from one state of it, whatever is written meanwhile.

    It has a connection of its own, can be read by this thread only, and not be written.

    Arguments:
        store: as it is now.
        revision: the last one that is seen.

    Raises:
        HistoryError: when there is no such revision, or the feed does not reach back to it.
        StoreError: when the database cannot be used.
    """
    if store.url == MEMORY:
        raise _refuse("a store in memory has no past")
    # a connection that is opened anew would have no views, and show what is
    database = build_database(store.url, autoconnect=False, thread_safe=False)
    past = Store(database, store.domain)
    try:
        with explained(database):
            database.connect()
        with past.snapshot():
            _refuse_unknown(past, revision)
            past.viewed = _Views(database, store.domain, revision).create()
            yield past
    finally:
        database.close()


def _refuse_unknown(store: Store, revision: int) -> None:
    last = find_revision(store)
    if revision > last:
        raise _refuse(f"the store has reached revision {last} only; ask again later")
    count = peewee.fn.COUNT(ChangeLine.revision)
    since = ChangeLine.select(count).where(ChangeLine.revision > revision)
    [(count,)] = store.run(since.tuples())
    if count != last - revision:
        message = f"the feed lacks changes behind revision {revision}, so what was then is not kept"
        raise _refuse(f"{message}; name a later revision")


def _refuse(message: str) -> HistoryError:
    return HistoryError.at(AT, "unknown_revision", message)


class _Views:
    """The views of one revision, on one connection, in a transaction.

    Arguments:
        database: connected.
        domain: says which tables there are.
        revision: the last one that is seen.
    """

    def __init__(self, database: peewee.Database, domain: Domain, revision: int) -> None:
        self._database = database
        self._domain = domain
        self._revision = revision
        self._place = "main"
        self._models = {type_name(each): each for each in domain.models if each.stored}

    def create(self) -> frozenset[str]:
        """Make them, and let nothing be written from then on.

        Returns:
            the tables in whose places they stand.
        """
        if not is_sqlite(self._database):
            self._look_among_views_first()
        changed = ChangeLine.select(ChangeLine.type).distinct()
        since = changed.where(ChangeLine.revision > self._revision).tuples()
        names = {name for (name,) in since.execute(self._database)}
        models = [model for name, model in self._models.items() if name in names]
        for model in models:
            for table, columns, keys in _find_tables(model):
                self._create_table(table, columns, keys)
        filled = self._fill()
        for model in models:
            has_past = type_name(model) in filled
            if has_past and not is_sqlite(self._database):
                self._run(f'ANALYZE "{_PAST}{type_name(model)}"')
            self._create_views(model, has_past=has_past)
        self._create_system_views()
        read_only = "PRAGMA query_only = 1"
        self._run(read_only if is_sqlite(self._database) else "SET TRANSACTION READ ONLY")
        return frozenset(table for model in models for table, _, _ in _find_tables(model))

    def _look_among_views_first(self) -> None:
        """Have PostgreSQL do so, whatever the database or the user is set to."""
        query = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = ?::regclass"
        [(self._place,)] = self._run(query, type_name(ChangeLine))
        self._run(f"SET LOCAL search_path TO pg_temp, {self._place}")

    def _create_table(self, table: str, columns: list[str], keys: list[str]) -> None:
        """Make the empty table of past rows, in which they are found by what refers to others."""
        name, listed = f"{_PAST}{table}", _list(columns)
        source = f'{self._place}."{table}"'
        self._run(f'CREATE TEMPORARY TABLE "{name}" AS SELECT {listed} FROM {source} LIMIT 0')
        for number, key in enumerate(keys):
            self._run(f'CREATE INDEX "{name}_{number}" ON "{name}" ("{key}")')

    def _fill(self) -> set[str]:
        """Write the past rows, and find of which types there are any."""
        self._run(_CREATE_FIRST)
        self._run(_FIND_FIRST, self._revision)
        rows = {name: Rows(self._database, model, _PAST) for name, model in self._models.items()}
        filled: set[str] = set()
        for chunk in self._read():
            for kind, group in groupby(chunk, attrgetter("reference.type")):
                fill_in = rows[kind].fill_in
                rows[kind].insert_many(
                    [(each.revision, each.reference.id, fill_in(each.values)) for each in group]
                )
                filled.add(kind)
        return filled

    def _read(self) -> Iterator[list[Row]]:
        """Read past rows off the feed, those of each type together."""
        last = self._revision
        while lines := self._run(_READ, last):
            last = lines[-1][0]
            known = [self._read_line(*line) for line in lines if line[2] in self._models]
            yield sorted(known, key=attrgetter("reference"))

    def _read_line(self, _number: int, previous: int, kind: str, entity_id: str, text: str) -> Row:
        written = json.loads(text)
        attributes = find_writable(self._domain.schema.types[kind])
        # what the domain had then and has no more, nobody asks for
        values = {name: written[name] for name in attributes if name in written}
        for name, attribute in attributes.items():
            value = values.get(name)
            if attribute.type == DATETIME and value is not None:
                values[name] = datetime.fromisoformat(value)
        return Row(Reference(kind, entity_id), values, previous)

    def _create_views(self, model: type[Entity], *, has_past: bool) -> None:
        (owner, columns, _), *links = _find_tables(model)
        self._create_view(owner, columns, f'"{REVISION}" <= {self._revision}', has_past=has_past)
        for table, (here, there), _ in links:
            is_same = (
                f'EXISTS (SELECT 1 FROM {self._place}."{owner}" AS "owner"'
                f' WHERE "owner"."id" = "{table}"."{here}" AND "{REVISION}" <= {self._revision})'
            )
            self._create_view(table, [here, there], is_same, has_past=has_past)

    def _create_view(
        self, table: str, columns: list[str], is_same: str, *, has_past: bool = False
    ) -> None:
        """Make the view that takes the place of a table."""
        listed = _list(columns)
        same = f'SELECT {listed} FROM {self._place}."{table}" WHERE {is_same}'
        past = f' UNION ALL SELECT {listed} FROM "{_PAST}{table}"' if has_past else ""
        self._run(f'CREATE TEMPORARY VIEW "{table}" AS {same}{past}')

    def _create_system_views(self) -> None:
        feed = [each.column_name for each in ChangeLine._meta.sorted_fields]  # noqa: SLF001  # peewee's interface
        self._create_view(type_name(ChangeLine), feed, f'"revision" <= {self._revision}')
        state = type_name(State)
        values = f"SELECT id, CAST({self._revision} AS BIGINT) AS revision"
        self._run(f'CREATE TEMPORARY VIEW "{state}" AS {values} FROM {self._place}."{state}"')

    def _run(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self._database.execute_sql(mark(self._database, text), values)
        return list(cursor.fetchall()) if cursor.description else []


def _find_tables(model: type[Entity]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Find the table of a type and those of its lists, each with its columns and with its keys."""
    fields = model._meta.sorted_fields  # noqa: SLF001  # as above
    keys = [each.column_name for each in fields if isinstance(each, peewee.ForeignKeyField)]
    yield type_name(model), [each.column_name for each in fields], ["id", *keys]
    for name in find_links(model):
        through, here, there = find_link(model, name)
        ends = [here.column_name, there.column_name]
        yield type_name(through), ends, ends


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
