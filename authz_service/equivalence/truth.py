"""Clauses held against many worlds at once: what comes out is the set of those in which they hold.

This is what clauses mean, once more: every condition becomes the worlds in which it is so, a row
that there must be is tried with each entity that there may be, and `not` takes away from what is
left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authz_service.equivalence.vocabulary import compare
from authz_service.policy.clauses import (
    RESOURCE,
    SUBJECT,
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
from authz_service.policy.reasons import NOT_PERMITTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from authz_service.equivalence.worlds import Block, Columns, Split
    from authz_service.policy.clauses import Clause, Condition, Operand, Source
    from authz_service.policy.plan import Question
    from authz_service.store.entity import Reference

_SAME: Final = "same"


class Truth:
    """Tells in which worlds of a block clauses hold.

    Arguments:
        block: which worlds.
        subject, resource: of the question.
    """

    def __init__(self, block: Block, subject: Reference, resource: Reference) -> None:
        self._block = block
        self._asked = {
            SUBJECT: _find(block, subject),
            RESOURCE: _find(block, resource),
        }

    def answer(self, question: Question) -> tuple[int, dict[str, int]]:
        """Find the worlds in which a question is allowed, and where each reason is given."""
        permitted = self.any(question.permit)
        reasons = {code: self.any(clauses) for code, clauses in question.forbid.items()}
        forbidden = 0
        for each in reasons.values():
            forbidden |= each
        allowed = permitted & ~forbidden
        if question.allow is not None:
            allowed = self.any(question.allow)
            reasons = {code: each & ~allowed for code, each in reasons.items()}
        without = self._block.full & ~allowed & ~(permitted & forbidden)
        reasons[NOT_PERMITTED] = reasons.get(NOT_PERMITTED, 0) | without
        return allowed, reasons

    def any(self, clauses: Iterable[Clause]) -> int:
        """Find the worlds in which one of some clauses holds."""
        found = 0
        for each in clauses:
            left = self._block.full & ~found
            found |= self._search(each.sources, each.conditions, self._asked, left)
        return found

    def _search(
        self,
        sources: Sequence[Source],
        conditions: Sequence[Condition],
        rows: Mapping[str, Columns],
        within: int,
    ) -> int:
        """Find the worlds in which there are rows for which conditions hold, among some."""
        waiting = []
        for each in conditions:
            if not _is_ready(each, rows):
                waiting.append(each)
                continue
            within = self._condition(each, rows, within)
            if not within:
                return 0
        if not sources:
            return within
        first, *others = sources
        found = 0
        for columns, there in self._rows(first):
            left = within & there & ~found
            if left:
                found |= self._search(others, waiting, {**rows, first.alias.name: columns}, left)
        return found

    def _rows(self, source: Source) -> Sequence[tuple[Columns, int]]:
        match source:
            case RowSource():
                return self._block.rows[source.alias.type]
            case LinkSource():
                return self._block.links.get((source.owner, source.attribute), ())
            case ListSource():
                return self._block.items.get(source.given, ())

    def _condition(self, condition: Condition, rows: Mapping[str, Columns], within: int) -> int:
        match condition:
            case Absent():
                inner = condition.clause
                return within & ~self._search(inner.sources, inner.conditions, rows, within)
            case IsNull():
                null = _pick(self._split(condition.operand, rows), [None])
                return within & (~null if condition.negated else null)
            case OneOf():
                values = [each.value for each in condition.values]
                return within & _pick(self._split(condition.operand, rows), values)
            case Comparison():
                return within & self._compare(condition, rows)

    def _compare(self, condition: Comparison, rows: Mapping[str, Columns]) -> int:
        operator = condition.operator
        found = 0
        right = self._split(condition.right, rows)
        for value, mask in self._split(condition.left, rows):
            for other, too in right:
                if value is None or other is None:
                    holds = operator == _SAME and value is other
                else:
                    holds = compare(operator, value, other)
                if holds:
                    found |= mask & too
        return found

    def _split(self, operand: Operand, rows: Mapping[str, Columns]) -> Split:
        match operand:
            case Literal():
                return [(operand.value, self._block.full)]
            case Given():
                return self._block.givens[operand.name]
            case Column():
                stored = rows[operand.alias.name][operand.name]
                if not operand.supplied:
                    return stored
                said = self._block.givens[f"{operand.alias.name}.{operand.name}"]
                silent = _pick(said, [None])
                known = [(value, mask) for value, mask in said if value is not None]
                return [*known, *((value, mask & silent) for value, mask in stored)]


def _find(block: Block, reference: Reference) -> Columns:
    rows = (columns for columns, _ in block.rows[reference.type])
    return next(each for each in rows if each["id"][0][0] == reference.id)


def _pick(split: Split, values: Sequence[Any]) -> int:
    found = 0
    for value, mask in split:
        if value in values:
            found |= mask
    return found


def _is_ready(condition: Condition, rows: Mapping[str, Columns]) -> bool:
    """Tell whether all rows are known that a condition is about, but for its own."""
    match condition:
        case Comparison():
            return _is_known(condition.left, rows) and _is_known(condition.right, rows)
        case IsNull() | OneOf():
            return _is_known(condition.operand, rows)
        case Absent():
            inner = {**rows, **{each.alias.name: {} for each in condition.clause.sources}}
            return all(_is_ready(each, inner) for each in condition.clause.conditions)


def _is_known(operand: Operand, rows: Mapping[str, Columns]) -> bool:
    return not isinstance(operand, Column) or operand.alias.name in rows
