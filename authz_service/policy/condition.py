"""Clauses into conditions of SQL, in the dialect of either database.

A clause with rows of its own becomes `EXISTS (SELECT 1 FROM rows WHERE conditions)`, one without
becomes its conditions; a set of clauses is joined by `OR`, with what all of them share in front.

SQL has a third truth value, Polar has not. A comparison with null is null in SQL, which a `WHERE`
takes for false, as it should; so nulls matter in two places only:

- under `NOT`, everything that could be null is made false first: `NOT COALESCE(..., FALSE)`, or
  `NOT EXISTS` where there are rows;
- where both sides may be null, null is like null: `IS NOT DISTINCT FROM`, `IS` in SQLite.
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
    find_columns,
)
from authz_service.policy.symbols import NOW, is_nullable
from authz_service.store.entity import find_link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz_service.policy.clauses import Condition, Operand, Source
    from authz_service.store.entity import Entity

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"

# A table of values: what is asked by many questions at once.
ASKED: Final = "asked"

# No name of anything given is like these.
SUBJECT_SLOT: Final = "?subject"
RESOURCE_SLOT: Final = "?resource"
NOW_SLOT: Final = "?now"

_ENDS: Final = frozenset({SUBJECT, RESOURCE})
_CASTS: Final = {STRING: "TEXT", DATETIME: "TEXT", INTEGER: "BIGINT", BOOLEAN: "BOOLEAN"}
_ORDERED_TEXT: Final = {STRING, DATETIME}


@dataclass(frozen=True)
class Slot:
    """What is filled in when a question is asked.

    Arguments:
        name: of what is given, or one of those above.
        type: in SQL.
    """

    name: str
    type: str = "TEXT"


class ConditionWriter:
    """Writes conditions in one dialect.

    Arguments:
        models: by type.
        dialect: one of those above.
        columns: where in the table of values something stands that would be bound, by its name.
        searched: what is looked for, `subject`, `resource` or both: it is any row that is stored,
            and nothing comes with the question about it. Beside a single one, the other is no row
            but looked at by its id, once.
    """

    def __init__(
        self,
        models: Mapping[str, type[Entity]],
        dialect: str,
        columns: Mapping[str, str],
        searched: frozenset[str] = frozenset(),
    ) -> None:
        self.models = models
        self.dialect = dialect
        self._columns = columns
        self._searched = searched

    def given(self, name: str, kind: str = "TEXT") -> peewee.ColumnBase:
        """Write what comes with the question."""
        if name in self._columns:
            return peewee.Entity(ASKED, self._columns[name])
        return peewee.Value(Slot(name, kind), converter=False, unpack=False)

    def any(self, clauses: Sequence[Clause], rows: Mapping[str, Any]) -> peewee.Node:
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
            and not mentions(each, own)
        ]
        rest = [
            self.clause(
                Clause(each.sources, tuple(part for part in each.conditions if part not in shared)),
                rows,
            )
            for each in sorted(clauses, key=lambda clause: bool(clause.sources))  # cheap ones first
        ]
        parts = [self.condition(each, rows) for each in shared]
        return join([*parts, join(rest, " OR ")], " AND ")

    def clause(self, clause: Clause, rows: Mapping[str, Any]) -> peewee.Node:
        """Write that a clause holds."""
        rows = self.add_rows(clause.sources, rows)
        own = {each.alias.name for each in clause.sources}
        outside: list[peewee.Node] = []
        inside: list[peewee.Node] = []
        for condition in clause.conditions:
            place = inside if mentions(condition, own) else outside
            place.append(self.condition(condition, rows))
        if clause.sources:
            sources = [self.source(each, rows) for each in clause.sources]
            query = peewee.Select(sources, [peewee.SQL("1")])
            outside.append(peewee.fn.EXISTS(query.where(all_of(inside))))
        return all_of(outside)

    def add_rows(self, sources: Sequence[Source], rows: Mapping[str, Any]) -> dict[str, Any]:
        """Add the rows of sources to those that conditions can be about."""
        found = dict(rows)
        for each in sources:
            found[each.alias.name] = self._row(each)
            if isinstance(each, LinkSource):
                found[f"{each.alias.name} of"] = each.owner, each.attribute
        return found

    def _row(self, source: Source) -> Any:
        match source:
            case RowSource():
                return self.models[source.alias.type].alias(source.alias.name)
            case LinkSource():
                through, _, _ = find_link(self.models[source.owner], source.attribute)
                return through.alias(source.alias.name)
            case ListSource():
                return peewee.Entity(source.alias.name)

    def source(self, source: Source, rows: Mapping[str, Any]) -> Any:
        """Write where the rows of a source come from."""
        row = rows[source.alias.name]
        if not isinstance(source, ListSource):
            return row
        items = self.given(source.given)
        if self.dialect == SQLITE:
            return words(peewee.fn.json_each(items), "AS", row)
        unpacked = peewee.fn.jsonb_array_elements_text(items.cast("JSONB"))
        return words(unpacked, "AS", row, '("value")')

    def condition(self, condition: Condition, rows: Mapping[str, Any]) -> peewee.Node:
        """Write a condition."""
        match condition:
            case Comparison():
                return self._comparison(condition, rows)
            case IsNull():
                word = "IS NOT NULL" if condition.negated else "IS NULL"
                return words(self.operand(condition.operand, rows), word)
            case OneOf():
                values = [self._literal(each) for each in condition.values]
                if not values:
                    return peewee.SQL("FALSE")
                operand = self.operand(condition.operand, rows)
                return words(operand, "IN", peewee.EnclosedNodeList(values))
            case Absent():
                return self._absent(condition.clause, rows)

    def _absent(self, clause: Clause, rows: Mapping[str, Any]) -> peewee.Node:
        inside = self.clause(clause, rows)
        own = {each.alias.name for each in clause.sources}
        outside = [each for each in clause.conditions if not mentions(each, own)]
        if any(_may_be_null(each) for each in outside):
            inside = peewee.fn.COALESCE(inside, peewee.SQL("FALSE"))
        return words("NOT", inside)

    def _comparison(self, condition: Comparison, rows: Mapping[str, Any]) -> peewee.Node:
        left = self.operand(condition.left, rows)
        right = self.operand(condition.right, rows)
        operator = condition.operator
        if operator == "same":
            same = "IS" if self.dialect == SQLITE else "IS NOT DISTINCT FROM"
            return words(left, same, right)
        if operator != "=" and self.dialect == POSTGRESQL and _is_text(condition):
            left = words(left, 'COLLATE "C"')
        return words(left, operator, right)

    def operand(self, operand: Operand, rows: Mapping[str, Any]) -> peewee.Node:
        """Write a value."""
        match operand:
            case Literal():
                return self._literal(operand)
            case Given():
                name = NOW_SLOT if operand == NOW else operand.name
                return self._given_value(name, operand.type)
            case Column():
                return self._column(operand, rows)

    def _column(self, column: Column, rows: Mapping[str, Any]) -> peewee.Node:
        name = column.alias.name
        is_asked = name in _ENDS - self._searched
        if is_asked and column.name == ID:
            return self.given(f"?{name}")
        if column.alias.type:
            field = rows[name].model._meta.fields[column.name]  # noqa: SLF001  # peewee's interface
        elif column.name == ITEM:
            return peewee.Entity(name, "value").cast(_CASTS[column.type])
        else:
            owner, attribute = rows[f"{name} of"]
            _, here, there = find_link(self.models[owner], attribute)
            field = here if column.name == HERE else there
        stored: peewee.Node = peewee.Column(rows[name], field.column_name)
        if self._searched and is_asked:
            stored = self.given_row(name, rows[name], stored)
        if not column.supplied or name in self._searched:
            return stored
        return peewee.fn.COALESCE(self._given_value(f"{name}.{column.name}", column.type), stored)

    def given_row(self, name: str, row: Any, wanted: peewee.Node) -> peewee.Select:
        """Write the look at the subject or the resource of the question, by its id."""
        has_id = words(peewee.Column(row, row.model.id.column_name), "=", self.given(f"?{name}"))
        return peewee.Select([row], [wanted]).where(has_id)

    def _given_value(self, name: str, type_name: str) -> peewee.Node:
        kind = _CASTS[type_name]
        value = self.given(name, kind)
        # SQLite knows the type of what is bound
        return value if self.dialect == SQLITE else value.cast(kind)

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


def words(*parts: peewee.Node | str) -> peewee.Node:
    """Put pieces one behind the other."""
    nodes = [peewee.SQL(each) if isinstance(each, str) else each for each in parts]
    return peewee.NodeList(nodes)


def join(parts: list[peewee.Node], glue: str) -> peewee.Node:
    """Put pieces in parentheses with something between them; one stays as it is."""
    return parts[0] if len(parts) == 1 else peewee.NodeList(parts, glue, parens=True)


def all_of(conditions: list[peewee.Node]) -> peewee.Node:
    """Put conditions together that must all hold; none of them always hold."""
    return join(conditions or [peewee.SQL("TRUE")], " AND ")


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


def mentions(condition: Condition, names: set[str]) -> bool:
    """Tell whether a condition is about any of some rows."""
    return any(each.alias.name in names for each in find_columns(condition))
