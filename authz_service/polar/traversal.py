"""Ways to go through a syntax tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.polar import syntax
from authz_service.polar.syntax import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.polar.syntax import Call, Term


def find_conditions(term: Term) -> Iterator[Term]:
    """Go through the conditions in a condition, those that combine others left out."""
    match term:
        case syntax.And() | syntax.Or():
            for each in term.conditions:
                yield from find_conditions(each)
        case syntax.Not():
            yield from find_conditions(term.condition)
        case syntax.ForAll():
            yield from find_conditions(term.condition)
            yield from find_conditions(term.consequence)
        case syntax.Refused():
            return
        case _:
            yield term


def find_nodes(node: object) -> Iterator[syntax.Node]:
    """Find every piece of a tree, in the order of the text."""
    if isinstance(node, tuple):
        for each in node:
            yield from find_nodes(each)
    elif isinstance(node, syntax.Node):
        yield node
        for name in node.__dataclass_fields__:
            if name != "span":
                yield from find_nodes(getattr(node, name))


def find_variables(node: object) -> Iterator[Variable]:
    """Find every mention of a variable, in the order of the text."""
    return (each for each in find_nodes(node) if isinstance(each, Variable))


def find_calls(term: Term) -> Iterator[Call]:
    """Find the calls in a condition."""
    return (each for each in find_conditions(term) if isinstance(each, syntax.Call))
