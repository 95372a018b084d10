"""What rules become: clauses, each a conjunction over rows, with the rules that it came from.

A question has a set of clauses and holds when any of them does. A clause holds when there are rows,
one for each of its sources, for which all conditions are true. Every condition is true or false,
as in Polar; the third truth value of SQL is dealt with where conditions are rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authz_service.polar.schema import STRING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.polar.syntax import Span

ID: Final = "id"
HERE: Final = "here"
THERE: Final = "there"
ITEM: Final = "item"


@dataclass(frozen=True)
class Alias:
    """A name for one row of a source; `type` is that of the entity, empty for other rows."""

    name: str
    type: str = ""


SUBJECT: Final = "subject"
RESOURCE: Final = "resource"


@dataclass(frozen=True)
class Column:
    """A value of a row: an attribute, or the id that refers to another entity.

    Arguments:
        alias: which row.
        name: the attribute; `here` and `there` of a link, `item` of a list.
        type: one of the scalar types, or the entity type whose id this is.
        nullable: whether it may be null.
        supplied: whether what the caller says of it comes before what is stored.
    """

    alias: Alias
    name: str
    type: str
    nullable: bool = False
    supplied: bool = False


@dataclass(frozen=True)
class Given:
    """A value that comes with the question: a context key, a parameter, or the time.

    Arguments:
        name: as in the request; `now` for the time; `resource.status` for what is said of an
            entity that is not stored.
        type: one of the scalar types.
        nullable: whether the caller may have said nothing.
    """

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class Literal:
    """A value that is written in a policy."""

    value: str | float | bool | None
    kind: type = object  # tells 1 from true, which Python calls equal

    @classmethod
    def of(cls, value: str | float | bool | None) -> Literal:  # noqa: FBT001  # a value like others
        """Make one."""
        return cls(value, type(value))


Operand = Column | Given | Literal

# What says the same when the sides of a comparison change places.
MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "same": "same"}


@dataclass(frozen=True)
class Written:
    """A part of a clause; two are equal when they say the same, wherever policies say it.

    Arguments:
        terms: where that is: the condition that asks for it, then the calls that led there, from
            the inside out. What only leads to the row behind a reference has no condition.
    """

    terms: tuple[Span, ...] = field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class RowSource(Written):
    """Any row of an entity type."""

    alias: Alias


@dataclass(frozen=True)
class LinkSource(Written):
    """Any pair of a many-to-many attribute: `here` is the id of its owner, `there` the other."""

    alias: Alias
    owner: str
    attribute: str


@dataclass(frozen=True)
class ListSource(Written):
    """Any item of a list that comes with the question."""

    alias: Alias
    given: str
    type: str = STRING


Source = RowSource | LinkSource | ListSource


@dataclass(frozen=True)
class Comparison(Written):
    """Two values compared; false when one of them is null.

    The operators are those of SQL, and `same`, by which null is like null.
    """

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class IsNull(Written):
    """A value is null, or is not."""

    operand: Column | Given
    negated: bool = False


@dataclass(frozen=True)
class OneOf(Written):
    """A value is among some; null is among none."""

    operand: Column | Given
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Absent(Written):
    """A clause does not hold, whichever rows are tried."""

    clause: Clause


Condition = Comparison | IsNull | OneOf | Absent


@dataclass(frozen=True)
class Step:
    """A rule that a clause came by."""

    name: str
    span: Span


@dataclass(frozen=True)
class Clause:
    """A conjunction; two are equal when they say the same, whichever rules they came from.

    Arguments:
        sources: the rows that there must be.
        conditions: what must be so of them.
        rules: the rules applied, from `allow` down, in order.
    """

    sources: tuple[Source, ...]
    conditions: tuple[Condition, ...]
    rules: tuple[Step, ...] = field(default=(), compare=False)

    @property
    def always(self) -> bool:
        """Whether it holds whatever is asked."""
        return not self.sources and not self.conditions

    @property
    def implies_subject(self) -> bool:
        """Whether it can hold for a subject only that is there: some row refers to it."""
        return any(map(_refers_to_subject, self.conditions))

    @property
    def relates(self) -> bool:
        """Whether its `=` lead from the subject to the resource, by whatever rows."""
        joins = [{left.alias.name, right.alias.name} for left, right in find_joins(self)]
        reached = {SUBJECT}
        while RESOURCE not in reached:
            more = {name for each in joins if each & reached for name in each} - reached
            if not more:
                return False
            reached |= more
        return True


def leave_distinct(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """Leave out clauses that say the same as one before; one that always holds says it all."""
    found = tuple(dict.fromkeys(clauses))
    return next(((each,) for each in found if each.always), found)


def find_joins(clause: Clause) -> Iterator[tuple[Column, Column]]:
    """Find the columns that have to be equal for a clause to hold."""
    for each in clause.conditions:
        if isinstance(each, Comparison) and each.operator == "=":
            left, right = each.left, each.right
            if isinstance(left, Column) and isinstance(right, Column):
                yield left, right


def find_columns(condition: Condition) -> Iterator[Column]:
    """Find the columns that a condition is about."""
    if isinstance(condition, Absent):
        for each in condition.clause.conditions:
            yield from find_columns(each)
    yield from (each for each in find_operands(condition) if isinstance(each, Column))


def find_operands(condition: Condition) -> tuple[Operand, ...]:
    """Find the values that a condition itself is about, not those under a `not`."""
    match condition:
        case Comparison():
            return condition.left, condition.right
        case IsNull() | OneOf():
            return (condition.operand,)
        case Absent():
            return ()


def _refers_to_subject(condition: Condition) -> bool:
    if not isinstance(condition, Comparison) or condition.operator != "=":
        return False
    columns = list(find_columns(condition))
    own = [each for each in columns if each.alias.name == SUBJECT and each.name == ID]
    others = [each for each in columns if each.alias.name != SUBJECT]
    return bool(own and others)
