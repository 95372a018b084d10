"""The entities of one type in a database, by statements that are written once for any number.

Values are bound; the names of tables and columns are those of the models. Transactions, and what
an error means, are the business of whoever calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from authz_service.store.statement import Insertion, mark, run_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from authz_service.store.entity import Entity

    # An entity that is to be written: its revision, its id, and all that it holds.
    Whole = tuple[int, str, Mapping[str, Any]]

# How many rows are read at once where there are many; a power of two.
_CHUNK: Final = 1_024
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
            (fields[name].column_name, select_copy(fields, path))
            for name, path in model.copies.items()
        ]
        table = prefix + self.kind
        self._select = f"SELECT {_list(['id', REVISION, *columns])} FROM {_quote(table)}"
        self._insertion = _write_insertion(model, table, ["id", REVISION, *columns], copies)
        self._update = _write_update(table, [REVISION, *columns], copies)
        self._delete = f"DELETE FROM {_quote(table)} WHERE {_quote('id')} = ?"

    def fill_in(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add to what an entity holds what is not said: defaults, nothing, and empty lists."""
        return values if len(values) == len(self._usual) else {**self._usual, **values}

    def find_many(self, ids: Sequence[str]) -> dict[str, Row]:
        """Find entities, whole, as far as they are there."""
        found: dict[str, Row] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = _fill_up(ids[start : start + _CHUNK])
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

    def insert_many(self, entities: Sequence[Whole]) -> None:
        """Add entities."""
        revisions, ids, values = zip(*entities, strict=True)
        rows = [*zip(ids, revisions, *self._bind(values), strict=True)]
        self._insertion.run(self._database, rows)
        self._insert_links(entities)

    def update_many(self, entities: Sequence[Whole]) -> None:
        """Give entities other values."""
        revisions, ids, values = zip(*entities, strict=True)
        self._run_many(self._update, [*zip(revisions, *self._bind(values), ids, strict=True)])
        self._delete_links(ids)
        self._insert_links(entities)

    def delete(self, entity_id: str) -> None:
        """Remove an entity, with its lists."""
        self._delete_links([entity_id])
        self._run(self._delete, (entity_id,))

    def _bind(self, entities: Sequence[Mapping[str, Any]]) -> list[Iterable[Any]]:
        """Make columns of what entities hold: one for each value that a statement binds."""
        columns: list[Iterable[Any]] = [
            [values[name] for values in entities] for name in (*self._names, *self._copied)
        ]
        for position, convert in self._writers:
            columns[position] = map(convert, columns[position])
        return columns

    def _read(self, chunk: Iterable[Sequence[Any]]) -> list[Row]:
        found = []
        for entity_id, revision, *values in chunk:
            for position, convert in self._readers:
                values[position] = convert(values[position])
            named = dict(zip(self._names, values, strict=True))
            found.append(Row(Reference(self.kind, entity_id), named, revision))
        return self._add_lists(found) if self._links else found

    def _add_lists(self, rows: list[Row]) -> list[Row]:
        ids = _fill_up([row.reference.id for row in rows])
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

    def _insert_links(self, entities: Sequence[Whole]) -> None:
        for name, link in self._links.items():
            pairs = [(here, there) for _, here, values in entities for there in values[name]]
            link.insertion.run(self._database, pairs)

    def _delete_links(self, ids: Sequence[str]) -> None:
        for link in self._links.values():
            self._run_many(link.delete, [(each,) for each in ids])

    def _run(self, text: str, values: Sequence[Any]) -> Any:
        return self._database.execute_sql(mark(self._database, text), values)

    def _run_many(self, text: str, bound: Sequence[tuple[Any, ...]]) -> None:
        run_many(self._database, text, bound)


@dataclass(frozen=True)
class _Link:
    """The statements for the table between two, behind a many-to-many attribute."""

    insertion: Insertion
    delete: str
    start: str
    here: str

    @classmethod
    def of(cls, model: type[Entity], name: str, prefix: str) -> Self:
        through, here, there = find_link(model, name)
        names = prefix + type_name(through), here.column_name, there.column_name
        table, own, other = map(_quote, names)
        return cls(
            Insertion(f"INSERT INTO {table} ({own}, {other})", "?, ?"),
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


def select_copy(fields: Mapping[str, peewee.Field], path: str) -> str:
    """Write how what another entity says is read, by the reference that a path begins with."""
    reference, name = path.split(".")
    neighbour = fields[reference].rel_model  # type: ignore[attr-defined]  # it is a reference
    column = neighbour._meta.fields[name].column_name  # noqa: SLF001  # peewee's interface
    return f"(SELECT {_quote(column)} FROM {_quote(type_name(neighbour))} WHERE {_quote('id')} = ?)"


def _write_insertion(
    model: type[Entity], table: str, columns: list[str], copies: list[tuple[str, str]]
) -> Insertion:
    names = _list([*columns, *(name for name, _ in copies)])
    values = ", ".join(["?"] * len(columns) + [select for _, select in copies])
    insertion = Insertion(f"INSERT INTO {_quote(table)} ({names})", values)
    # an entity must not stand before one that it refers to, in a statement neither
    is_tied = model in model._meta.refs.values()  # noqa: SLF001  # peewee's interface
    return replace(insertion, together=1) if is_tied else insertion


def _write_update(table: str, columns: list[str], copies: list[tuple[str, str]]) -> str:
    pairs = [*((name, "?") for name in columns), *copies]
    sets = ", ".join(f"{_quote(name)} = {value}" for name, value in pairs)
    return f"UPDATE {_quote(table)} SET {sets} WHERE {_quote('id')} = ?"


def _fill_up(ids: Sequence[str]) -> list[str]:
    """Repeat the last to a power of two, for a connection keeps a statement for each length."""
    filled = list(ids)
    return filled + filled[-1:] * ((1 << (len(ids) - 1).bit_length()) - len(ids))


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quote, names))


def _quote(name: str) -> str:
    return f'"{name}"'
