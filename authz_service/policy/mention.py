"""What clauses look at: entities, their attributes, and what is said with the question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz_service.policy.clauses import (
    Absent,
    Column,
    Comparison,
    Given,
    LinkSource,
    ListSource,
    Literal,
    OneOf,
    RowSource,
    find_operands,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.policy.clauses import Clause, Condition


class Mentions:
    """What some clauses look at, those under a `not` in them included.

    Arguments:
        clauses: which ones.

    Attributes:
        types: of the entities any of which they look for.
        attributes: of entities, each with the type.
        said: names of what comes with the question.
        compared: what it is compared with that is written in the policies, each with the name.
    """

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self.types: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.said: set[str] = set()
        self.compared: set[tuple[str, Any]] = set()
        for each in clauses:
            self._look_at(each)

    def _look_at(self, clause: Clause) -> None:
        for source in clause.sources:
            match source:
                case RowSource(alias):
                    self.types.add(alias.type)
                case LinkSource():
                    self.attributes.add((source.owner, source.attribute))
                case ListSource():
                    self.said.add(source.given)
        for condition in clause.conditions:
            if isinstance(condition, Absent):
                self._look_at(condition.clause)
            self.compared.update(_find_compared(condition))
            for operand in find_operands(condition):
                if isinstance(operand, Column):
                    self.attributes.add((operand.alias.type, operand.name))
                elif isinstance(operand, Given):
                    self.said.add(operand.name)


def _find_compared(condition: Condition) -> Iterator[tuple[str, Any]]:
    match condition:
        case OneOf(Given(name), values):
            yield from ((name, each.value) for each in values)
        case Comparison(_, Given(name), Literal(value)) | Comparison(
            _, Literal(value), Given(name)
        ):
            yield name, value
