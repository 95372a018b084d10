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
    from collections.abc import Callable, Iterator

    from authz_service.policy.clauses import Clause, Condition, Operand, Source

_OPERATORS: Final = {
    "=": "is",
    "same": "is",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}


# What rows are called whose entities are not known.
_UNKNOWN: Final = {SUBJECT: "the subject", RESOURCE: "the resource"}


def _call(name: str) -> str:
    return _UNKNOWN.get(name, name)


def describe_clause(clause: Clause, call: Callable[[str], str] = _call) -> Iterator[str]:
    """Say what a clause asks for, a line each; what must not hold is indented.

    Arguments:
        clause: which one.
        call: how a row is called, by its name in clauses.
    """
    if clause.always:
        yield "always"
    for source in clause.sources:
        yield f"there is {describe_source(source, call)}"
    for condition in clause.conditions:
        yield from describe_condition(condition, call)


def describe_origin(clause: Clause) -> str:
    """Say by which rules a clause came, each with its place."""
    return " > ".join(f"{step.name} {step.span.file}:{step.span.line}" for step in clause.rules)


def describe_source(source: Source, call: Callable[[str], str] = _call) -> str:
    """Say which row there has to be."""
    name = call(source.alias.name)
    match source:
        case RowSource():
            return f"{with_article(source.alias.type)}, {name}"
        case LinkSource():
            return f"one of the {source.attribute} of {with_article(source.owner)}"
        case ListSource():
            return f"an item of request.{source.given}, {name}"


def describe_condition(condition: Condition, call: Callable[[str], str]) -> Iterator[str]:
    """Say what a condition asks for, a line each; as above."""

    def name(operand: Operand) -> str:
        return name_operand(operand, call)

    match condition:
        case Comparison():
            operator = _OPERATORS.get(condition.operator, condition.operator)
            yield f"{name(condition.left)} {operator} {name(condition.right)}"
        case IsNull():
            yield f"{name(condition.operand)} is {'given' if condition.negated else 'nil'}"
        case OneOf():
            words = " or ".join(name(each) for each in condition.values)
            yield f"{name(condition.operand)} is {words}"
        case Absent():
            yield "it is not so that"
            yield from (f"  {line}" for line in describe_clause(condition.clause, call))


def name_operand(operand: Operand, call: Callable[[str], str]) -> str:
    """Say where a value stands, or which it is."""
    match operand:
        case Literal():
            return show_value(operand.value)
        case Given():
            owner, dot, name = operand.name.rpartition(".")
            return f"the supplied {name} of the {owner}" if dot else f"request.{name}"
        case Column():
            return _name_column(operand, call)


def show_value(value: object) -> str:
    """Write a value as policies do."""
    match value:
        case str():
            return f'"{value}"'
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _name_column(column: Column, call: Callable[[str], str]) -> str:
    owner = call(column.alias.name)
    if column.name in {ID, ITEM}:
        return owner
    if column.name in {HERE, THERE}:
        return f"its {'owner' if column.name == HERE else column.type}"
    return f"the {column.name} of {owner}{', as supplied or else stored' * column.supplied}"
