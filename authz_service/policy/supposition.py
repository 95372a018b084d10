"""The store as it would be after some changes, which nobody makes.

Statements are asked as they are, of tables that a `WITH` puts before the real ones: what is
supposed to be gone is left out, what is supposed to be there is added.

    WITH "membership" (...) AS NOT MATERIALIZED (
      SELECT ... FROM main."membership" WHERE "id" NOT IN (?)
      UNION ALL SELECT CAST(? AS TEXT), ... FROM (SELECT 1))
    SELECT ... FROM "membership" AS "membership_0_0" WHERE ...

The casts matter: SQLite looks into an index behind a `UNION ALL` only where both sides have the
same affinities, and reads the whole table otherwise. And where a bare `?` is held against a column
of a partial index, SQLite looks at its value to choose the index, and prepares the statement anew
for each.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import peewee

from authz_service.policy.clauses import ID
from authz_service.policy.condition import POSTGRESQL, SQLITE
from authz_service.store.rows import select_copy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from authz_service.store.domain import Promise
    from authz_service.store.entity import Entity

# How SQLite and PostgreSQL call the types of columns; text is everything else.
_TYPES: Final = (
    (peewee.BooleanField, ("INTEGER", "BOOLEAN")),
    (peewee.IntegerField, ("INTEGER", "BIGINT")),
)
_MOST_TEXTS: Final = 256
# How what is bound is written.
_MARKS: Final = {SQLITE: "?", POSTGRESQL: "%s"}


class Reader(Protocol):
    """Whatever answers statements that read."""

    @property
    def viewed(self) -> frozenset[str]:
        """The tables before which temporary views stand."""

    def execute(
        self, texts: Mapping[str, str], parameters: Sequence[Any], time_limit: int
    ) -> list[tuple[Any, ...]]:
        """Run a statement that reads, and give back its rows.

        Arguments:
            texts: the statement, as `sqlite` and as `postgresql` write it.
            parameters: what it binds, in order.
            time_limit: milliseconds that it may take.

        Raises:
            EvaluationTimeoutError: when it takes longer.
            StoreError: when the database cannot answer.
        """


class Put(NamedTuple):
    """An entity as it is supposed to be.

    Arguments:
        type: its type.
        id: its id; that of no other where it is a new one.
        values: by attribute, as the database has them.
    """

    type: str
    id: str
    values: Mapping[str, Any]


class Memory:
    """Answers statements, each once: for readings of one state of the store.

    Arguments:
        reader: of that state.
    """

    def __init__(self, reader: Reader) -> None:
        self.viewed = reader.viewed
        self._reader = reader
        self._known: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}

    def execute(
        self, texts: Mapping[str, str], parameters: Sequence[Any], time_limit: int
    ) -> list[tuple[Any, ...]]:
        """Run a statement that reads, as of a reader."""
        key = (texts[SQLITE], *parameters)
        if key not in self._known:
            self._known[key] = self._reader.execute(texts, parameters, time_limit)
        return self._known[key]


def find_alike(
    reader: Reader, checks: Sequence[tuple[Promise, Put]], time_limit: int
) -> Sequence[bool]:
    """Find for which entities the store has another that is like it, in the eyes of a promise.

    What no other is like breaks no promise; what another is like may do so.
    """
    if not checks:
        return ()
    asked = [(promise, tuple(_bind_like(promise, put))) for promise, put in checks]
    different = list(dict.fromkeys(asked))
    bound = [value for _, values in different for value in values]
    texts = _write_likes(tuple(promise for promise, _ in different))
    [alike] = reader.execute(texts, bound, time_limit)
    found = dict(zip(different, alike, strict=True))
    return [found[each] for each in asked]


class Supposition:
    """Answers statements as if some entities were otherwise.

    Arguments:
        reader: of the store as it is.
        models: by type.
        put: entities as they are supposed to be.
        gone: ids of those that are supposed not to be there, by type.
    """

    def __init__(
        self,
        reader: Reader,
        models: Mapping[str, type[Entity]],
        put: Collection[Put],
        gone: Mapping[str, Collection[str]],
    ) -> None:
        self.viewed = reader.viewed
        self._reader = reader
        self._models = models
        self._put: defaultdict[str, list[Put]] = defaultdict(list)
        for each in put:
            self._put[each.type].append(each)
        self._hidden = {
            kind: [each.id for each in self._put[kind]] + sorted(gone.get(kind, ()))
            for kind in sorted({*self._put, *gone})
        }
        self._prefixes = _write_tables(
            tuple(
                _Table(models[kind], kind in reader.viewed, len(ids), len(self._put[kind]))
                for kind, ids in self._hidden.items()
            )
        )
        self._bound = list(self._bind())

    def execute(
        self, texts: Mapping[str, str], parameters: Sequence[Any], time_limit: int
    ) -> list[tuple[Any, ...]]:
        """Run a statement that reads, as of a reader."""
        supposed = {
            dialect: _put_before(self._prefixes[dialect], text) for dialect, text in texts.items()
        }
        return self._reader.execute(supposed, [*self._bound, *parameters], time_limit)

    def breaks_any(self, promises: Sequence[Promise], time_limit: int) -> bool:
        """Tell whether one of some promises would not hold for what is supposed to be there."""
        checks = [
            (promise, each)
            for kind, put in self._put.items()
            for each in put
            for promise in promises
            if promise.model is self._models[kind]
        ]
        return any(find_alike(self, checks, time_limit))

    def _bind(self) -> Iterator[Any]:
        for kind, ids in self._hidden.items():
            yield from ids
            model = self._models[kind]
            for each in self._put[kind]:
                yield from _bind_row(model, each)


def _put_before(tables: str, text: str) -> str:
    if not tables:
        return text
    rest = text.removeprefix("WITH ")
    return f"WITH {tables} {text}" if rest == text else f"WITH {tables}, {rest}"


class _Table(NamedTuple):
    """A table that stands before the real one.

    Arguments:
        model: whose.
        is_viewed: whether a temporary view stands before the real one already.
        hidden: how many entities are left out.
        put: how many are added.
    """

    model: type[Entity]
    is_viewed: bool
    hidden: int
    put: int


@lru_cache(_MOST_TEXTS)
def _write_tables(tables: tuple[_Table, ...]) -> Mapping[str, str]:
    """Write the tables that stand before the real ones, in both dialects."""
    return {
        dialect: ", ".join(_write_table(each, dialect) for each in tables) for dialect in _MARKS
    }


def _write_table(table: _Table, dialect: str) -> str:
    mark, model = _MARKS[dialect], table.model
    name = f'"{model._meta.table_name}"'  # noqa: SLF001  # peewee's interface
    names = ", ".join(f'"{each.column_name}"' for each in model._meta.fields.values())  # noqa: SLF001
    # in PostgreSQL a name inside of its own `WITH` is that of the real table
    place = ("temp." if table.is_viewed else "main.") if dialect == SQLITE else ""
    hidden = ", ".join([mark] * table.hidden)
    kept = f'SELECT {names} FROM {place}{name} WHERE "id" NOT IN ({hidden})'
    added = f"SELECT {', '.join(_write_values(model, dialect))} FROM (SELECT 1) AS one"
    union = " UNION ALL ".join([kept, *[added] * table.put])
    return f"{name} ({names}) AS NOT MATERIALIZED ({union})"


def _write_values(model: type[Entity], dialect: str) -> Iterator[str]:
    for name in model._meta.fields:  # noqa: SLF001  # as above
        yield _write_value(model, name, dialect)


def _write_value(model: type[Entity], name: str, dialect: str) -> str:
    """Write a value of a row as it is supposed to be."""
    mark = _MARKS[dialect]
    if name in model.copies:
        return f"CAST({_select_copy(model, name, mark)} AS TEXT)"
    return f"CAST({mark} AS {_find_type(model._meta.fields[name], dialect)})"  # noqa: SLF001  # as above


def _select_copy(model: type[Entity], name: str, mark: str) -> str:
    """Write how what an entity repeats of another is read."""
    text = select_copy(model._meta.fields, model.copies[name])  # noqa: SLF001  # as above
    return text.replace("?", mark)


def find_source(model: type[Entity], name: str) -> str:
    """Find what says the value of an attribute; of a copy, the reference that it is by."""
    return model.copies[name].partition(".")[0] if name in model.copies else name


def _find_type(field: peewee.Field, dialect: str) -> str:
    names = next((names for kind, names in _TYPES if isinstance(field, kind)), ("TEXT", "TEXT"))
    return names[dialect != SQLITE]


def _bind_row(model: type[Entity], put: Put) -> Iterator[Any]:
    for name in model._meta.fields:  # noqa: SLF001  # as above
        yield put.id if name == ID else put.values.get(find_source(model, name))


@lru_cache(_MOST_TEXTS)
def _write_likes(promises: tuple[Promise, ...]) -> Mapping[str, str]:
    """Write what tells of each promise whether an entity that it is about is like another."""
    return {
        dialect: "SELECT " + ", ".join(_write_like(each, dialect) for each in promises)
        for dialect in _MARKS
    }


def _write_like(promise: Promise, dialect: str) -> str:
    model, mark = promise.model, _MARKS[dialect]
    where = promise.where if dialect == SQLITE else promise.where.replace("%", "%%")
    same = [
        f'"{column}" = {_write_value(model, name, dialect)}'
        for column, name in zip(promise.columns, promise.attributes, strict=True)
    ]
    conditions = " AND ".join([*same, f"({where})"] if where else same)
    table = f'"{model._meta.table_name}"'  # noqa: SLF001  # as above
    like = f'EXISTS(SELECT 1 FROM {table} WHERE {conditions} AND "id" <> {mark})'
    if not where:
        return like
    # whether it counts is seen first, for an index that is seldom used is far away
    fields = model._meta.fields  # noqa: SLF001  # as above
    own = ", ".join(
        f'{_write_value(model, each, dialect)} AS "{fields[each].column_name}"'
        for each in promise.conditions
    )
    counts = f"EXISTS(SELECT 1 FROM (SELECT {own}) AS own WHERE {where})"
    return f"CASE WHEN {counts} THEN {like} ELSE FALSE END"


def _bind_like(promise: Promise, put: Put) -> list[Any]:
    return [*map(put.values.get, _find_names(promise)), put.id]


@lru_cache(_MOST_TEXTS)
def _find_names(promise: Promise) -> tuple[str, ...]:
    """Find what says the values that a promise looks at, in the order of its statement."""
    names = promise.conditions + promise.attributes
    return tuple(find_source(promise.model, each) for each in names)
