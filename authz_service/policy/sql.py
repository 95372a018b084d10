"""Clauses into statements: one tree for each question, written in the dialect of either database.

A clause with rows of its own becomes `EXISTS (SELECT 1 FROM rows WHERE conditions)`, one without
becomes its conditions; a set of clauses is joined by `OR`, with what all of them share in front.
Each set is a column of one row, so that one statement gives the decision and all reasons. Subject
and resource are rows of the outermost query; their ids are bound parameters, as is everything that
comes with the question. What a policy says itself stands in the text. For many questions of one
kind, what would be bound stands in a table of values instead, with a line for each question.

SQL has a third truth value, Polar has not. A comparison with null is null in SQL, which a `WHERE`
takes for false, as it should; so nulls matter in two places only:

- under `NOT`, everything that could be null is made false first: `NOT COALESCE(..., FALSE)`, or
  `NOT EXISTS` where there are rows;
- where both sides may be null, null is like null: `IS NOT DISTINCT FROM`, `IS` in SQLite.

An example, `not subscription.holder = person or not subscription.kind = "tv"`:

    SELECT (NOT COALESCE("resource"."holder_id" = ?, FALSE) OR NOT "resource"."kind" = 'tv')
    FROM "person" AS "subject", "subscription" AS "resource"
    WHERE ("subject"."id" = ? AND "resource"."id" = ?)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, STRING
from authz_service.policy.clauses import (
    HERE,
    ID,
    ITEM,
    RESOURCE,
    SUBJECT,
    Absent,
    Clause,
    Column,
    Comparison,
    Given,
    IsNull,
    LinkSource,
    ListSource,
    Literal,
    OneOf,
    RowSource,
)
from authz_service.policy.symbols import NOW, is_nullable
from authz_service.store.entity import find_link, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from authz_service.policy.clauses import Condition, Operand, Source
    from authz_service.store.entity import Entity

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"

# No name of anything given is like these.
SUBJECT_SLOT: Final = "?subject"
RESOURCE_SLOT: Final = "?resource"
NOW_SLOT: Final = "?now"

_ASKED: Final = "asked"
_CASTS: Final = {STRING: "TEXT", DATETIME: "TEXT", INTEGER: "BIGINT", BOOLEAN: "BOOLEAN"}
_ORDERED_TEXT: Final = {STRING, DATETIME}


@dataclass(frozen=True)
class Slot:
    """What is filled in when a question is asked: by the name of what is given, or as above."""

    name: str
    type: str = "TEXT"


@dataclass(frozen=True)
class Statement:
    """A statement in both dialects.

    Arguments:
        texts: by dialect.
        slots: what to bind, in order; the same for both.
    """

    texts: Mapping[str, str]
    slots: tuple[str, ...]


class StatementBuilder:
    """Builds the statements of the questions about one domain.

    Arguments:
        models: the entities.
    """

    def __init__(self, models: Iterable[type[Entity]]) -> None:
        self._models = {type_name(model): model for model in models}
        self._writers = [
            _Writer(self._models, SQLITE, peewee.SqliteDatabase(None)),
            _Writer(self._models, POSTGRESQL, peewee.PostgresqlDatabase(None)),
        ]

    def decide(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]]
    ) -> Statement:
        """Build what gives one row: does each of the questions hold.

        It gives none where the store has no such subject, or no such resource.
        """
        return self._build(lambda writer: writer.decide(subject, resource, questions))

    def decide_many(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]], count: int
    ) -> Statement:
        """Build the same for several requests at once.

        It binds, for each request, a number and then the slots; a row begins with the number.
        """
        texts = {
            writer.dialect: writer.decide_many(subject, resource, questions, count)
            for writer in self._writers
        }
        slots = self.decide(subject, resource, questions).slots
        return Statement(texts, tuple(dict.fromkeys(slots)))

    def is_known(self, subject: str, resource: str) -> Statement:
        """Build what gives one row: is there the subject, and is there the resource."""
        return self._build(lambda writer: writer.is_known(subject, resource))

    def _build(self, write: Callable[[_Writer], peewee.Node]) -> Statement:
        texts: dict[str, str] = {}
        slots: tuple[Slot, ...] = ()
        for writer in self._writers:
            texts[writer.dialect], slots = writer.read(write(writer))
        return Statement(texts, tuple(each.name for each in slots))


class _Writer:
    """Writes statements in one dialect.

    Arguments:
        models: by type.
        dialect: one of those above.
        database: of that dialect; it is never opened.
        columns: where in the table of values something stands that would be bound, by its name.
    """

    def __init__(
        self,
        models: Mapping[str, type[Entity]],
        dialect: str,
        database: peewee.Database,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._models = models
        self.dialect = dialect
        self._database = database
        self._columns = columns or {}

    def read(self, query: peewee.Node) -> tuple[str, tuple[Slot, ...]]:
        """Read the text of a query and what it binds."""
        text, parameters = self._database.get_sql_context().parse(query)
        return text, tuple(parameters)

    def decide(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]]
    ) -> peewee.Select:
        rows = self._outer_rows(subject, resource)
        answers = [self._any(clauses, rows) for clauses in questions]
        sources = list(rows.values())
        if self._columns:
            answers.insert(0, peewee.Entity(_ASKED, "number"))
            sources.insert(0, peewee.Entity(_ASKED))
        has_ids = [self._has_id(name, row) for name, row in rows.items()]
        return peewee.Select(sources, answers).where(_join(has_ids, " AND "))

    def decide_many(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]], count: int
    ) -> str:
        _, slots = self.read(self.decide(subject, resource, questions))
        types = {each.name: each.type for each in slots}
        columns = {name: f"value_{number}" for number, name in enumerate(types)}
        writer = _Writer(self._models, self.dialect, self._database, columns)
        text, _ = self.read(writer.decide(subject, resource, questions))
        names = ", ".join(f'"{name}"' for name in ("number", *columns.values()))
        lines = self._lines(["BIGINT", *types.values()], count)
        return f'WITH "{_ASKED}" ({names}) AS (VALUES {lines}) {text}'

    def _lines(self, types: Sequence[str], count: int) -> str:
        """Write lines of values that are bound; for PostgreSQL, the first says of what types."""
        mark = "?" if self.dialect == SQLITE else "%s"
        plain = f"({', '.join(mark for _ in types)})"
        typed = f"({', '.join(f'CAST({mark} AS {each})' for each in types)})"
        first = plain if self.dialect == SQLITE else typed
        return ", ".join([first, *[plain] * (count - 1)])

    def is_known(self, subject: str, resource: str) -> peewee.Select:
        one = peewee.SQL("1")
        found = [
            peewee.fn.EXISTS(peewee.Select([row], [one]).where(self._has_id(name, row)))
            for name, row in self._outer_rows(subject, resource).items()
        ]
        return peewee.Select(columns=found)

    def _given(self, name: str, kind: str = "TEXT") -> peewee.ColumnBase:
        """Write what comes with the question."""
        if name in self._columns:
            return peewee.Entity(_ASKED, self._columns[name])
        return peewee.Value(Slot(name, kind), converter=False, unpack=False)

    def _outer_rows(self, subject: str, resource: str) -> dict[str, Any]:
        return {
            SUBJECT: self._models[subject].alias(SUBJECT),
            RESOURCE: self._models[resource].alias(RESOURCE),
        }

    def _has_id(self, name: str, row: Any) -> peewee.Node:
        return _words(peewee.Column(row, row.model.id.column_name), "=", self._given(f"?{name}"))

    def _any(self, clauses: Sequence[Clause], rows: Mapping[str, Any]) -> peewee.Node:
        """Write that one of some clauses holds; what they share is written once."""
        if not clauses:
            return peewee.SQL("FALSE")
        first, *others = clauses
        own = {source.alias.name for each in clauses for source in each.sources}
        shared = [
            each
            for each in first.conditions
            if others
            and all(each in other.conditions for other in others)
            and not _mentions(each, own)
        ]
        rest = [
            self._clause(
                Clause(each.sources, tuple(part for part in each.conditions if part not in shared)),
                rows,
            )
            for each in sorted(clauses, key=lambda clause: bool(clause.sources))  # cheap ones first
        ]
        parts = [self._condition(each, rows) for each in shared]
        return _join([*parts, _join(rest, " OR ")], " AND ")

    def _clause(self, clause: Clause, rows: Mapping[str, Any]) -> peewee.Node:
        rows = dict(rows)
        for each in clause.sources:
            rows[each.alias.name] = self._row(each)
            if isinstance(each, LinkSource):
                rows[f"{each.alias.name} of"] = each.owner, each.attribute
        own = {each.alias.name for each in clause.sources}
        outside: list[peewee.Node] = []
        inside: list[peewee.Node] = []
        for condition in clause.conditions:
            place = inside if _mentions(condition, own) else outside
            place.append(self._condition(condition, rows))
        if clause.sources:
            sources = [self._source(each, rows[each.alias.name]) for each in clause.sources]
            query = peewee.Select(sources, [peewee.SQL("1")])
            outside.append(peewee.fn.EXISTS(query.where(_all(inside))))
        return _all(outside)

    def _row(self, source: Source) -> Any:
        match source:
            case RowSource():
                return self._models[source.alias.type].alias(source.alias.name)
            case LinkSource():
                through, _, _ = find_link(self._models[source.owner], source.attribute)
                return through.alias(source.alias.name)
            case ListSource():
                return peewee.Entity(source.alias.name)

    def _source(self, source: Source, row: Any) -> Any:
        if not isinstance(source, ListSource):
            return row
        items = self._given(source.given)
        if self.dialect == SQLITE:
            return _words(peewee.fn.json_each(items), "AS", row)
        unpacked = peewee.fn.jsonb_array_elements_text(items.cast("JSONB"))
        return _words(unpacked, "AS", row, '("value")')

    def _condition(self, condition: Condition, rows: Mapping[str, Any]) -> peewee.Node:
        match condition:
            case Comparison():
                return self._comparison(condition, rows)
            case IsNull():
                word = "IS NOT NULL" if condition.negated else "IS NULL"
                return _words(self._operand(condition.operand, rows), word)
            case OneOf():
                values = [self._literal(each) for each in condition.values]
                if not values:
                    return peewee.SQL("FALSE")
                operand = self._operand(condition.operand, rows)
                return _words(operand, "IN", peewee.EnclosedNodeList(values))
            case Absent():
                return self._absent(condition.clause, rows)

    def _absent(self, clause: Clause, rows: Mapping[str, Any]) -> peewee.Node:
        inside = self._clause(clause, rows)
        own = {each.alias.name for each in clause.sources}
        outside = [each for each in clause.conditions if not _mentions(each, own)]
        if any(_may_be_null(each) for each in outside):
            inside = peewee.fn.COALESCE(inside, peewee.SQL("FALSE"))
        return _words("NOT", inside)

    def _comparison(self, condition: Comparison, rows: Mapping[str, Any]) -> peewee.Node:
        left = self._operand(condition.left, rows)
        right = self._operand(condition.right, rows)
        operator = condition.operator
        if operator == "same":
            same = "IS" if self.dialect == SQLITE else "IS NOT DISTINCT FROM"
            return _words(left, same, right)
        if operator != "=" and self.dialect == POSTGRESQL and _is_text(condition):
            left = _words(left, 'COLLATE "C"')
        return _words(left, operator, right)

    def _operand(self, operand: Operand, rows: Mapping[str, Any]) -> peewee.Node:
        match operand:
            case Literal():
                return self._literal(operand)
            case Given():
                name = NOW_SLOT if operand == NOW else operand.name
                kind = _CASTS[operand.type]
                value = self._given(name, kind)
                # SQLite knows the type of what is bound
                return value if self.dialect == SQLITE else value.cast(kind)
            case Column():
                return self._column(operand, rows)

    def _column(self, column: Column, rows: Mapping[str, Any]) -> peewee.Node:
        name = column.alias.name
        if name in {SUBJECT, RESOURCE} and column.name == ID:
            return self._given(f"?{name}")
        if column.alias.type:
            field = rows[name].model._meta.fields[column.name]  # noqa: SLF001  # peewee's interface
        elif column.name == ITEM:
            return peewee.Entity(name, "value").cast(_CASTS[column.type])
        else:
            owner, attribute = rows[f"{name} of"]
            _, here, there = find_link(self._models[owner], attribute)
            field = here if column.name == HERE else there
        return peewee.Column(rows[name], field.column_name)

    def _literal(self, literal: Literal) -> peewee.Node:
        value = literal.value
        if isinstance(value, bool):
            return peewee.SQL("TRUE" if value else "FALSE")
        if not isinstance(value, str):
            return peewee.SQL("NULL" if value is None else repr(value))
        text = value.replace("'", "''")
        if self.dialect == POSTGRESQL:
            text = text.replace("%", "%%")  # the driver looks for placeholders
        return peewee.SQL(f"'{text}'")


def _words(*parts: peewee.Node | str) -> peewee.Node:
    nodes = [peewee.SQL(each) if isinstance(each, str) else each for each in parts]
    return peewee.NodeList(nodes)


def _join(parts: list[peewee.Node], glue: str) -> peewee.Node:
    return parts[0] if len(parts) == 1 else peewee.NodeList(parts, glue, parens=True)


def _all(conditions: list[peewee.Node]) -> peewee.Node:
    return _join(conditions or [peewee.SQL("TRUE")], " AND ")


def _is_text(condition: Comparison) -> bool:
    operands = (condition.left, condition.right)
    return any(
        isinstance(each, (Column, Given)) and each.type in _ORDERED_TEXT for each in operands
    )


def _may_be_null(condition: Condition) -> bool:
    match condition:
        case Comparison():
            operands = (condition.left, condition.right)
            return condition.operator != "same" and any(map(is_nullable, operands))
        case OneOf():
            return is_nullable(condition.operand)
        case _:
            return False


def _mentions(condition: Condition, names: set[str]) -> bool:
    """Tell whether a condition is about any of some rows."""
    match condition:
        case Comparison():
            operands: tuple[Operand, ...] = (condition.left, condition.right)
        case IsNull() | OneOf():
            operands = (condition.operand,)
        case Absent():
            return any(_mentions(each, names) for each in condition.clause.conditions)
    return any(isinstance(each, Column) and each.alias.name in names for each in operands)
