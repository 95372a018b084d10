"""One clause asked by itself: the rows by which it holds, or those that come near.

Whatever stands outside of the clause is bound, be it of the subject, of the resource or of a row
that was found before. So a clause inside a `not` is asked like any other.

An example, `membership.person = subject and membership.role = "delegate"` of a `delegate`:

    SELECT "membership_0_0"."id", "membership_0_0"."revision", ... FROM "membership"
      AS "membership_0_0" WHERE "membership_0_0"."person_id" = ? AND "membership_0_0"."role" = ...

Rows come near that fulfil the `=` between them and what is outside, and nothing else: the one
membership of this person on this number, whatever its role.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import peewee

from authz_service.polar.schema import SCALARS, STRING
from authz_service.policy.clauses import (
    HERE,
    ITEM,
    THERE,
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
    find_columns,
)
from authz_service.policy.condition import all_of, mentions, words
from authz_service.store.entity import find_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authz_service.policy.clauses import Condition, Operand, Source
    from authz_service.policy.condition import ConditionWriter
    from authz_service.policy.sql import Statement, StatementBuilder
    from authz_service.policy.supposition import Reader
    from authz_service.store.entity import Entity

# More rows than these are not looked at: of a customer with 100,000 members each is one by which
# somebody administers it.
MOST_ROWS: Final = 4


class Found(NamedTuple):
    """A row that was found for a source.

    Arguments:
        alias: of the source.
        type: of the entity; of a link, the type of its owner; empty for an item of a list.
        attribute: of a link; empty for others.
        values: by attribute, as the database has them, the id and the revision among them; `here`
            and `there` of a link, `item` of a list.
    """

    alias: str
    type: str
    attribute: str
    values: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the row from others."""
        if self.attribute:
            return self.type, self.attribute, self.values[HERE], self.values[THERE]
        return (self.type, self.values["id"]) if self.type else ("", self.alias)


class Probe:
    """Asks for the rows by which one clause holds.

    Safe to share between threads.

    Arguments:
        clause: with sources.
        builder: of statements.
        time_limit: milliseconds that a statement may take.
    """

    def __init__(self, clause: Clause, builder: StatementBuilder, time_limit: int) -> None:
        self._time_limit = time_limit
        self._sources = clause.sources
        self._columns = {each.alias.name: _columns(each, builder.models) for each in clause.sources}
        closed = close_over(clause)
        self._holding = builder.build(lambda writer: self._select(closed, writer))
        self._near = {
            each.alias.name: self._build_near(clause, each, builder) for each in clause.sources
        }

    def find_holding(self, reader: Reader, read: Callable[[str], Any]) -> list[tuple[Found, ...]]:
        """Find rows by which the clause holds, as many as are looked at.

        Arguments:
            reader: of the store.
            read: finds what is outside, by `alias.attribute` or by the name of what is given.

        Raises:
            EvaluationTimeoutError: when it takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        return self._find(self._holding, self._sources, reader, read)

    def find_near(
        self, source: Source, reader: Reader, read: Callable[[str], Any]
    ) -> list[tuple[Found, ...]]:
        """Find rows of one source that are joined as the clause wants it; as above.

        Those of the sources before it are known.
        """
        return self._find(self._near[source.alias.name], (source,), reader, read)

    def _find(
        self,
        statement: Statement,
        sources: tuple[Source, ...],
        reader: Reader,
        read: Callable[[str], Any],
    ) -> list[tuple[Found, ...]]:
        bound = [read(slot) for slot in statement.slots]
        rows = reader.execute(statement.texts, bound, self._time_limit)
        found = [tuple(self._read(sources, row)) for row in rows]
        if len(found) > 1:  # as far as all were found, in an order that is the same each time
            found.sort(key=lambda each: [one.key for one in each])
        return found

    def _read(self, sources: tuple[Source, ...], row: tuple[Any, ...]) -> Iterator[Found]:
        start = 0
        for source in sources:
            names = self._columns[source.alias.name]
            values = dict(zip(names, row[start : start + len(names)], strict=True))
            start += len(names)
            if isinstance(source, LinkSource):
                yield Found(source.alias.name, source.owner, source.attribute, values)
            else:
                yield Found(source.alias.name, source.alias.type, "", values)

    def _build_near(self, clause: Clause, source: Source, builder: StatementBuilder) -> Statement:
        near = _come_near(clause, source)
        return builder.build(lambda writer: self._select(near, writer))

    def _select(self, clause: Clause, writer: ConditionWriter) -> peewee.Node:
        rows = writer.add_rows(clause.sources, {})
        columns: list[peewee.Node] = []
        for source in clause.sources:
            names = self._columns[source.alias.name]
            columns += [_column(source, name, rows, writer) for name in names]
        query = peewee.Select([writer.source(each, rows) for each in clause.sources], columns)
        conditions = [writer.condition(each, rows) for each in clause.conditions]
        return words(query.where(all_of(conditions)), f"LIMIT {MOST_ROWS}")


def _come_near(clause: Clause, source: Source) -> Clause:
    """Leave of a clause one source, and the `=` that join it to what is known before it."""
    later = {each.alias.name for each in clause.sources[clause.sources.index(source) + 1 :]}
    joins = tuple(
        each
        for each in clause.conditions
        if _leads(each) and mentions(each, {source.alias.name}) and not mentions(each, later)
    )
    return close_over(Clause((source,), joins))


def close_over(clause: Clause) -> Clause:
    """Turn what a clause says of rows that are not its own into what is given."""
    return _close(clause, frozenset())


def _close(clause: Clause, known: frozenset[str]) -> Clause:
    known |= {source.alias.name for source in clause.sources}
    conditions = tuple(_close_condition(each, known) for each in clause.conditions)
    return replace(clause, conditions=conditions)


def _close_condition(condition: Condition, known: frozenset[str]) -> Condition:
    def close(operand: Operand) -> Operand:
        return operand if isinstance(operand, Literal) else close_value(operand)

    def close_value(operand: Column | Given) -> Column | Given:
        if isinstance(operand, Given) or operand.alias.name in known:
            return operand
        kind = operand.type if operand.type in SCALARS else STRING
        return Given(f"{operand.alias.name}.{operand.name}", kind, operand.nullable)

    match condition:
        case Comparison(operator, left, right):
            return Comparison(operator, close(left), close(right))
        case IsNull() | OneOf():
            return replace(condition, operand=close_value(condition.operand))
        case Absent(clause):
            return Absent(_close(clause, known))


def _leads(condition: Condition) -> bool:
    """Tell whether a condition leads to rows from what is known."""
    return (
        isinstance(condition, Comparison)
        and condition.operator == "="
        and any(True for _ in find_columns(condition))
        and all(isinstance(each, (Column, Given)) for each in (condition.left, condition.right))
    )


def _columns(source: Source, models: Mapping[str, type[Entity]]) -> tuple[str, ...]:
    match source:
        case RowSource():
            return tuple(models[source.alias.type]._meta.fields)  # noqa: SLF001  # peewee's interface
        case LinkSource():
            return HERE, THERE
        case ListSource():
            return (ITEM,)


def _column(
    source: Source, name: str, rows: Mapping[str, Any], writer: ConditionWriter
) -> peewee.Node:
    row = rows[source.alias.name]
    match source:
        case RowSource():
            field = row.model._meta.fields[name]  # noqa: SLF001  # as above
            return peewee.Column(row, field.column_name)
        case LinkSource():
            _, here, there = find_link(writer.models[source.owner], source.attribute)
            return peewee.Column(row, (here if name == HERE else there).column_name)
        case ListSource():
            return writer.operand(Column(source.alias, ITEM, source.type), rows)
