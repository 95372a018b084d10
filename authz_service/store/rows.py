"""The entities of one type in a database, by statements that are written once for any number.

Values are bound; the names of tables and columns are those of the models. Transactions, and what
an error means, are the business of whoever calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import peewee

from authz_service.store.entity import (
    REVISION,
    InstantField,
    Reference,
    Row,
    find_link,
    find_links,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from authz_service.store.entity import Entity

# How many rows are read at once where all are gone through.
_CHUNK: Final = 1_000
_CURSOR: Final = "authz_walk"


class Rows:
    """Reads and writes the entities of one type, with the lists that are written on them.

    Arguments:
        database: where they are.
        model: of the type.
        prefix: with which the names of the tables begin that are written.
    """

    def __init__(self, database: peewee.Database, model: type[Entity], prefix: str = "") -> None:
        self.kind = type_name(model)
        self._database = database
        self._is_sqlite = isinstance(database, peewee.SqliteDatabase)
        hidden = {"id", REVISION, *model.copies}
        fields: Mapping[str, peewee.Field] = model._meta.fields  # noqa: SLF001  # peewee's interface
        own = {name: each for name, each in fields.items() if name not in hidden}
        self._links = {name: _Link.of(model, name, prefix) for name in find_links(model)}
        self._usual: dict[str, Any] = {name: each.default for name, each in own.items()}
        self._usual |= dict.fromkeys(self._links, ())
        self._names = tuple(own)
        self._writers = _find_converters(own, "db_value", InstantField)
        self._readers = _find_converters(own, "python_value", InstantField, peewee.BooleanField)
        # what a row's neighbour says is read in the very statement that writes the row
        self._copied = [path.split(".")[0] for path in model.copies.values()]
        columns = [each.column_name for each in own.values()]
        copies = [
            (fields[name].column_name, _select_copy(fields, path))
            for name, path in model.copies.items()
        ]
        table = prefix + self.kind
        self._select = f"SELECT {_list(['id', REVISION, *columns])} FROM {_quote(table)}"
        self._insert = _write_insert(table, ["id", REVISION, *columns], copies)
        self._update = _write_update(table, [REVISION, *columns], copies)
        self._delete = f"DELETE FROM {_quote(table)} WHERE {_quote('id')} = ?"

    def fill_in(self, row: Row) -> Row:
        """Add to an entity what is not said of it: defaults, nothing, and empty lists."""
        if len(row.values) == len(self._usual):
            return row
        return Row(row.reference, {**self._usual, **row.values})

    def find_many(self, ids: Sequence[str]) -> dict[str, Row]:
        """Find entities, whole, as far as they are there."""
        found: dict[str, Row] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            text = f"{self._select} WHERE {_quote('id')} IN ({_marks(len(chunk))})"
            found |= {each.reference.id: each for each in self._read(self._run(text, chunk))}
        return found

    def walk(self) -> Iterator[Row]:
        """Go through all, whole, in the order of their ids, byte by byte; in a transaction."""
        if self._is_sqlite:
            cursor = self._database.execute_sql(f"{self._select} ORDER BY {_quote('id')}")
            while chunk := cursor.fetchmany(_CHUNK):
                yield from self._read(chunk)
            return
        order = f'ORDER BY {_quote("id")} COLLATE "C"'
        self._run(f"DECLARE {_CURSOR} NO SCROLL CURSOR FOR {self._select} {order}", ())
        while chunk := self._run(f"FETCH {_CHUNK} FROM {_CURSOR}", ()).fetchall():
            yield from self._read(chunk)
        self._run(f"CLOSE {_CURSOR}", ())

    def insert_many(self, rows: Sequence[Row], revisions: Iterable[int]) -> None:
        """Add entities that are whole."""
        self._run_many(
            self._insert,
            [
                (row.reference.id, revision, *self._bind(row.values))
                for row, revision in zip(rows, revisions, strict=False)
            ],
        )
        self._insert_links(rows)

    def update_many(self, rows: Sequence[Row], revisions: Iterable[int]) -> None:
        """Give entities the values of rows that are whole."""
        self._run_many(
            self._update,
            [
                (revision, *self._bind(row.values), row.reference.id)
                for row, revision in zip(rows, revisions, strict=False)
            ],
        )
        self._delete_links([row.reference.id for row in rows])
        self._insert_links(rows)

    def delete(self, entity_id: str) -> None:
        """Remove an entity, with its lists."""
        self._delete_links([entity_id])
        self._run(self._delete, (entity_id,))

    def _bind(self, values: Mapping[str, Any]) -> list[Any]:
        bound = [values[name] for name in self._names]
        for position, convert in self._writers:
            bound[position] = convert(bound[position])
        bound += [values[name] for name in self._copied]
        return bound

    def _read(self, chunk: Iterable[Sequence[Any]]) -> list[Row]:
        found = []
        for entity_id, revision, *values in chunk:
            for position, convert in self._readers:
                values[position] = convert(values[position])
            named = dict(zip(self._names, values, strict=True))
            found.append(Row(Reference(self.kind, entity_id), named, revision))
        return self._add_lists(found) if self._links else found

    def _add_lists(self, rows: list[Row]) -> list[Row]:
        ids = [row.reference.id for row in rows]
        lists: dict[str, dict[str, list[str]]] = {name: {} for name in self._links}
        for name, link in self._links.items():
            for here, there in self._run(link.select(len(ids)), ids) if ids else ():
                lists[name].setdefault(here, []).append(there)
        return [
            Row(
                row.reference,
                {
                    **row.values,
                    **{
                        name: tuple(sorted(found.get(row.reference.id, ())))
                        for name, found in lists.items()
                    },
                },
                row.revision,
            )
            for row in rows
        ]

    def _insert_links(self, rows: Sequence[Row]) -> None:
        for name, link in self._links.items():
            pairs = [(row.reference.id, other) for row in rows for other in row.values[name]]
            self._run_many(link.insert, pairs)

    def _delete_links(self, ids: Sequence[str]) -> None:
        for link in self._links.values():
            self._run_many(link.delete, [(each,) for each in ids])

    def _run(self, text: str, values: Sequence[Any]) -> Any:
        return self._database.execute_sql(mark(self._database, text), values)

    def _run_many(self, text: str, bound: Sequence[tuple[Any, ...]]) -> None:
        run_many(self._database, text, bound)


def mark(database: peewee.Database, text: str) -> str:
    """Write a statement as the database wants it, in which `?` stands for what is bound."""
    return text if isinstance(database, peewee.SqliteDatabase) else text.replace("?", "%s")


def run_many(database: peewee.Database, text: str, bound: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement with one set of values after the other.

    Arguments:
        database: where; errors are peewee's.
        text: the statement, with `?` for what is bound.
        bound: the sets of values.
    """
    if not bound:
        return
    # peewee has no public way to run a statement with many sets of values
    with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
        cursor = database.connection().cursor()
        cursor.executemany(mark(database, text), bound)
        cursor.close()


@dataclass(frozen=True)
class _Link:
    """The statements for the table between two, behind a many-to-many attribute."""

    insert: str
    delete: str
    start: str
    here: str

    @classmethod
    def of(cls, model: type[Entity], name: str, prefix: str) -> Self:
        through, here, there = find_link(model, name)
        names = prefix + type_name(through), here.column_name, there.column_name
        table, own, other = map(_quote, names)
        return cls(
            f"INSERT INTO {table} ({own}, {other}) VALUES (?, ?)",
            f"DELETE FROM {table} WHERE {own} = ?",
            f"SELECT {own}, {other} FROM {table}",
            own,
        )

    def select(self, count: int) -> str:
        """Write the statement that reads the lists of so many entities."""
        return f"{self.start} WHERE {self.here} IN ({_marks(count)})"


def _find_converters(
    fields: Mapping[str, peewee.Field], way: str, *kinds: type[peewee.Field]
) -> list[tuple[int, Callable[[Any], Any]]]:
    """Find the columns whose values the database has otherwise, by position."""
    return [
        (position, getattr(each, way))
        for position, each in enumerate(fields.values())
        if isinstance(each, kinds)
    ]


def _select_copy(fields: Mapping[str, peewee.Field], path: str) -> str:
    reference, name = path.split(".")
    neighbour = fields[reference].rel_model  # type: ignore[attr-defined]  # it is a reference
    column = neighbour._meta.fields[name].column_name  # noqa: SLF001  # peewee's interface
    return f"(SELECT {_quote(column)} FROM {_quote(type_name(neighbour))} WHERE {_quote('id')} = ?)"


def _write_insert(table: str, columns: list[str], copies: list[tuple[str, str]]) -> str:
    names = _list([*columns, *(name for name, _ in copies)])
    values = ", ".join(["?"] * len(columns) + [select for _, select in copies])
    return f"INSERT INTO {_quote(table)} ({names}) VALUES ({values})"


def _write_update(table: str, columns: list[str], copies: list[tuple[str, str]]) -> str:
    pairs = [*((name, "?") for name in columns), *copies]
    sets = ", ".join(f"{_quote(name)} = {value}" for name, value in pairs)
    return f"UPDATE {_quote(table)} SET {sets} WHERE {_quote('id')} = ?"


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quote, names))


def _quote(name: str) -> str:
    return f'"{name}"'
