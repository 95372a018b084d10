"""Values that are not known yet, and what is known of them on one way through the rules.

A policy is resolved before anything is asked, so a variable stands for a place where its value will
be found: a column of some row, something given with the question, or nothing yet. A `State` is what
has been collected on the way: which rows, which conditions, which variable stands for what.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from authz_service.errors import Fault, Place, PolicyError
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, STRING
from authz_service.policy.clauses import (
    ID,
    Alias,
    Clause,
    Column,
    Comparison,
    Given,
    IsNull,
    Literal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.polar.schema import Attribute
    from authz_service.polar.syntax import Pattern, Span
    from authz_service.policy.clauses import Condition, Operand, Source, Step

_LONGEST_WORD: Final = 40

NUMBER: Final = "Number"
NOTHING: Final = "nil"
NOW: Final = Given("now", DATETIME, nullable=False)

_FAMILIES: Final = {bool: BOOLEAN, int: NUMBER, float: NUMBER, str: STRING, type(None): NOTHING}


@dataclass(frozen=True)
class Entity:
    """An entity, known by where its id stands; its row is joined when an attribute is asked."""

    key: Column

    @property
    def type(self) -> str:
        """Its type."""
        return self.key.type


@dataclass(frozen=True)
class RequestValue:
    """The request as a whole."""


@dataclass(frozen=True)
class Items:
    """A list that is written in a policy."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class GivenItems:
    """A list that comes with the question."""

    name: str
    type: str


@dataclass(frozen=True)
class Collection:
    """The entities that a collection attribute of an entity stands for."""

    owner: Column
    owner_type: str
    attribute: Attribute


@dataclass(frozen=True)
class Unbound:
    """A variable without a value; all uses of the variable share the number."""

    number: int


Value = Column | Given | Literal | Entity | RequestValue | Items | GivenItems | Collection | Unbound


@dataclass(frozen=True)
class Frame:
    """The variables of one use of a rule, and the rules that led to it."""

    rules: tuple[int, ...] = ()
    variables: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What is known on one way through the rules.

    Arguments:
        level: how many `not` there are around it; names of rows are different on each.
        bindings: the values of variables, by number.
        patterns: what variables without a value must be like, by number.
        joined: the rows that references lead to.
        sources, conditions, rules: of the clause so far.
    """

    level: int = 0
    bindings: Mapping[int, Value] = field(default_factory=dict)
    patterns: Mapping[int, tuple[tuple[Pattern, dict[str, Value]], ...]] = field(
        default_factory=dict
    )
    joined: Mapping[Column, Alias] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    conditions: tuple[Condition, ...] = ()
    rules: tuple[Step, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Whether it holds whatever is asked, and whatever a variable without a value may be."""
        waiting = self.patterns.keys() - self.bindings.keys()
        return not (self.sources or self.conditions or waiting)

    def walk(self, value: Value) -> Value:
        """Follow variables to what they stand for."""
        while isinstance(value, Unbound) and value.number in self.bindings:
            value = self.bindings[value.number]
        return value

    def bind(self, variable: Unbound, value: Value) -> State:
        """Give a variable its value."""
        return replace(self, bindings={**self.bindings, variable.number: value})

    def require(self, *conditions: Condition) -> State:
        """Add conditions that are not there yet."""
        new = [each for each in conditions if each not in self.conditions]
        return replace(self, conditions=(*self.conditions, *new)) if new else self

    def place(self, span: Span, before: State, *, is_call: bool = False) -> State:
        """Say which term of a rule asks for what was not there before.

        Arguments:
            span: where the term stands.
            before: what there was before.
            is_call: whether it only calls what asks for that.
        """
        rows, conditions = len(before.sources), len(before.conditions)
        if len(self.sources) == rows and len(self.conditions) == conditions:
            return self
        sources = (replace(each, terms=(*each.terms, span)) for each in self.sources[rows:])
        placed = (
            replace(each, terms=(*each.terms, span)) if is_call or not self._walks(each) else each
            for each in self.conditions[conditions:]
        )
        return replace(
            self,
            sources=(*self.sources[:rows], *sources),
            conditions=(*self.conditions[:conditions], *placed),
        )

    def _walks(self, condition: Condition) -> bool:
        """Tell whether a condition only leads to the row behind a reference."""
        match condition:
            case Comparison("=", Column(alias=alias), Column() as key):
                return self.joined.get(key) == alias
            case _:
                return False

    def name_alias(self, type_name: str, word: str = "") -> Alias:
        """Find a name for the next row."""
        beginning = (word or type_name)[:_LONGEST_WORD]  # PostgreSQL cuts names at 63 bytes
        return Alias(f"{beginning}_{self.level}_{len(self.sources)}", type_name)

    def add(self, source: Source) -> State:
        """Add a row."""
        return replace(self, sources=(*self.sources, source))

    def enter_not(self) -> State:
        """Begin what stands inside `not`: a clause of its own that knows what is outside."""
        return replace(self, level=self.level + 1, sources=(), conditions=(), rules=())

    def close(self) -> Clause:
        """Make a clause of it."""
        return Clause(self.sources, self.conditions, self.rules)


# Bound before anything is resolved; others are numbered from 1.
SUBJECT_VARIABLE: Final = Unbound(0)


def family(operand: Operand) -> str:
    """What a value can be compared with."""
    if isinstance(operand, Literal):
        return _FAMILIES[type(operand.value)]
    return NUMBER if operand.type == INTEGER else operand.type


def is_nullable(operand: Operand) -> bool:
    """Whether a value may be null."""
    return not isinstance(operand, Literal) and operand.nullable


def id_of(alias: Alias) -> Column:
    """The id of a row, as what refers to its entity."""
    return Column(alias, ID, alias.type)


def exclude_null(value: Value, state: State) -> State:
    """Require that a value is something."""
    operand = value.key if isinstance(value, Entity) else value
    if isinstance(operand, (Column, Given)) and operand.nullable:
        return state.require(IsNull(operand, negated=True))
    return state


class RefusedError(PolicyError):
    """What cannot be resolved, at a place in a policy.

    Arguments:
        span: the place.
        code: a stable word.
        message: what is wrong.
    """

    def __init__(self, span: Span, code: str, message: str) -> None:
        super().__init__([Fault(Place(span.file, span.line, span.column), code, message)])
        self.span = span
        self.code = code
        self.message = message


def refuse(span: Span, code: str, message: str) -> RefusedError:
    """Build the error of a place in a policy."""
    return RefusedError(span, code, message)


def too_deep(span: Span) -> RefusedError:
    """Build the error of what rests on too much."""
    message = "this rests on too many rules or negations, one inside another; say it more simply"
    return refuse(span, "nested_too_deep", message)


def too_many(span: Span) -> RefusedError:
    """Build the error of what has too many clauses."""
    message = "this can hold in too many ways to be decided by one statement; say it more simply"
    return refuse(span, "too_many_clauses", message)
