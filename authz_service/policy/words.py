"""Clauses in words, so that anyone can see what a policy became."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.errors import with_article
from authz_service.policy.clauses import (
    HERE,
    ID,
    ITEM,
    RESOURCE,
    SUBJECT,
    THERE,
    Absent,
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.policy.clauses import Clause, Condition, Operand, Source

_OPERATORS: Final = {
    "=": "is",
    "same": "is",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}


def describe_clause(clause: Clause) -> Iterator[str]:
    """Say what a clause asks for, a line each; what must not hold is indented."""
    if clause.always:
        yield "always"
    for source in clause.sources:
        yield f"there is {_describe_source(source)}"
    for condition in clause.conditions:
        yield from _describe(condition)


def describe_origin(clause: Clause) -> str:
    """Say by which rules a clause came, each with its place."""
    return " > ".join(f"{step.name} {step.span.file}:{step.span.line}" for step in clause.rules)


def _describe_source(source: Source) -> str:
    match source:
        case RowSource():
            return f"{with_article(source.alias.type)}, {source.alias.name}"
        case LinkSource():
            return f"one of the {source.attribute} of {with_article(source.owner)}"
        case ListSource():
            return f"an item of request.{source.given}, {source.alias.name}"


def _describe(condition: Condition) -> Iterator[str]:
    match condition:
        case Comparison():
            operator = _OPERATORS.get(condition.operator, condition.operator)
            yield f"{_name(condition.left)} {operator} {_name(condition.right)}"
        case IsNull():
            yield f"{_name(condition.operand)} is {'given' if condition.negated else 'nil'}"
        case OneOf():
            words = " or ".join(_name(each) for each in condition.values)
            yield f"{_name(condition.operand)} is {words}"
        case Absent():
            yield "it is not so that"
            yield from (f"  {line}" for line in describe_clause(condition.clause))


def _name(operand: Operand) -> str:
    match operand:
        case Literal(value=str() as text):
            return f'"{text}"'
        case Literal(value=None):
            return "nil"
        case Literal(value=bool() as truth):
            return "true" if truth else "false"
        case Literal():
            return str(operand.value)
        case Given():
            owner, dot, name = operand.name.rpartition(".")
            return f"the supplied {name} of the {owner}" if dot else f"request.{name}"
        case Column():
            return _name_column(operand)


def _name_column(column: Column) -> str:
    owner = column.alias.name
    if owner in {SUBJECT, RESOURCE}:
        owner = f"the {owner}"
    if column.name in {ID, ITEM}:
        return owner
    if column.name in {HERE, THERE}:
        return f"its {'owner' if column.name == HERE else column.type}"
    return f"the {column.name} of {owner}{', as supplied or else stored' * column.supplied}"
