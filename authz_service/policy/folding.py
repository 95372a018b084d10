"""Clauses under what is known of a question: what that decides falls away.

A policy looks at what a caller says, the channel mostly, by comparing it with a few words. So one
request for each of those words, one that says nothing and one that says anything else stand for all
requests that there can be. In each of them the conditions about what is said are true or false, and
what is left of the clauses is about rows alone.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from authz_service.polar.schema import BOOLEAN
from authz_service.policy.clauses import (
    Absent,
    Column,
    Comparison,
    Given,
    IsNull,
    ListSource,
    Literal,
    OneOf,
)
from authz_service.policy.symbols import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.policy.clauses import Clause, Condition, Operand


class Unlisted(Enum):
    """What is like no word that the clauses name."""

    OTHER = "any other"


OTHER: Final = Unlisted.OTHER

_EQUAL: Final = {"=", "same"}
_COMPARE: Final = {
    "=": operator.eq,
    "same": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def find_values(clauses: Iterable[Clause]) -> dict[str, tuple[Any, ...]]:
    """Find what can be said that makes a difference, by what it is said of.

    Returns:
        for each name that the clauses look at, the values that stand for all; none where they
        cannot be listed, for it is compared with what is stored, or is put in an order.
    """
    found: dict[str, set[Any]] = {}
    is_open: set[str] = set()
    flags: set[str] = set()
    for given, words in _find_uses(clauses):
        name = given.name
        found.setdefault(name, set()).update(words or ())
        if given.type == BOOLEAN:
            flags.add(name)
        elif words is None:
            is_open.add(name)
    return {
        name: _list_values(words, is_open=name in is_open, is_flag=name in flags)
        for name, words in sorted(found.items())
    }


def fold(clause: Clause, known: Mapping[str, Any]) -> Clause | None:
    """Leave out of a clause what is decided; None when it never holds.

    Arguments:
        clause: the clause.
        known: what is said, by name: a value, None for nothing, a list, or `OTHER`.
    """
    for source in clause.sources:
        if isinstance(source, ListSource) and not known[source.given]:
            return None
    left: list[Condition] = []
    for condition in clause.conditions:
        folded = _fold(condition, known)
        if folded is False:
            return None
        if folded is not True:
            left.append(folded)
    return replace(clause, conditions=tuple(left))


def fold_all(clauses: Iterable[Clause], known: Mapping[str, Any]) -> tuple[Clause, ...]:
    """Do so with several, and leave out those that never hold."""
    folded = (fold(each, known) for each in clauses)
    return tuple(each for each in folded if each is not None)


def _fold(condition: Condition, known: Mapping[str, Any]) -> Condition | bool:
    match condition:
        case Comparison():
            return _fold_comparison(condition, known)
        case IsNull(operand=Given() as given):
            return (_value(given, known) is None) != condition.negated
        case OneOf(operand=Given() as given):
            return any(_value(given, known) == each.value for each in condition.values)
        case Absent():
            inside = fold(condition.clause, known)
            return inside is None or (not inside.always and Absent(inside))
        case _:
            return condition


def _fold_comparison(condition: Comparison, known: Mapping[str, Any]) -> Condition | bool:
    sides = condition.left, condition.right
    if NOW in sides or not any(isinstance(each, Given) for each in sides):
        return condition
    left, right = (None if isinstance(each, Column) else _value(each, known) for each in sides)
    stored = next((each for each in sides if isinstance(each, Column)), None)
    if stored is None and left is not None and right is not None:
        return bool(_COMPARE[condition.operator](left, right))
    said = right if left is None else left
    if said is not None:
        if stored is None:  # the other is nothing
            return False
        # both values of a flag are tried, so it is part of what is left; others are bound
        return Comparison("=", stored, Literal.of(said)) if isinstance(said, bool) else condition
    if condition.operator != "same":
        return False
    return stored is None or IsNull(stored)


def _value(operand: Operand, known: Mapping[str, Any]) -> Any:
    if isinstance(operand, Literal):
        return operand.value
    return known[operand.name]


def _list_values(words: set[Any], *, is_open: bool, is_flag: bool) -> tuple[Any, ...]:
    if is_flag:
        return (None, False, True)
    return () if is_open else (None, *sorted(words), OTHER)


def _find_uses(clauses: Iterable[Clause]) -> Iterator[tuple[Given, tuple[Any, ...] | None]]:
    """Find each use of what is said, with the words that it is compared with; None for others."""
    for clause in clauses:
        for source in clause.sources:
            if isinstance(source, ListSource):
                yield Given(source.given, source.type), None
        for condition in clause.conditions:
            yield from _find_uses_in(condition)


def _find_uses_in(condition: Condition) -> Iterator[tuple[Given, tuple[Any, ...] | None]]:
    match condition:
        case Absent():
            yield from _find_uses([condition.clause])
        case IsNull(operand=Given() as given):
            yield given, ()
        case OneOf(operand=Given() as given):
            yield given, tuple(each.value for each in condition.values)
        case Comparison():
            sides = condition.left, condition.right
            literals = tuple(each.value for each in sides if isinstance(each, Literal))
            words = literals if condition.operator in _EQUAL and literals else None
            for each in sides:
                if isinstance(each, Given) and each != NOW:
                    yield each, words
