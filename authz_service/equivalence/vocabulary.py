"""Which values are worth trying: those that the policies name, and some that they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

from authz_service.equivalence.sight import EQUAL
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, Attribute
from authz_service.policy.clauses import ID
from authz_service.policy.symbols import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz_service.equivalence.sight import Field, Sight
    from authz_service.polar.schema import Schema
    from authz_service.policy.clauses import Literal

BEGINNING: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)

# No policy names a time, and one can lie between two others.
_MOMENTS: Final = tuple(BEGINNING + timedelta(days=each) for each in range(3))
_LARGEST: Final = 2**63 - 1
_PLAIN: Final = (str, int, float)


class Vocabulary:
    """The values that are worth trying for each field.

    Values that no condition tells apart count as one; a condition that compares two fields tells
    all of them apart.

    Arguments:
        sight: what is looked at.
        schema: of which types the values are.
        kept: fields that promises look at as well, so that none of their values is left out.
    """

    def __init__(self, sight: Sight, schema: Schema, kept: frozenset[Field]) -> None:
        self._sight = sight
        self._schema = schema
        self._kept = kept

    def find_named(self, field: Field) -> list[Any]:
        """Find the values that conditions name for a field, or for one that it is compared with."""
        found = {
            (each.kind, each.value): each.value
            for alike in self._sight.find_alike(field)
            for _, literals in self._sight.tests[alike]
            for each in literals
            if each.value is not None
        }
        return list(found.values())

    def find_values(
        self, field: Field, ids: Mapping[str, Sequence[str]], least: int = 1
    ) -> list[Any]:
        """Find the values to try, the plainest first.

        Arguments:
            field: which may be a scalar attribute, or something that comes with the question.
            ids: those of the entities that there can be, by type.
            least: how many there must be, where they can be made up.
        """
        attribute = self.describe(field)
        if attribute.type == BOOLEAN:
            found: list[Any] = [False, True]
        elif attribute.choices:
            named = self.find_named(field)
            found = sorted(attribute.choices, key=lambda each: each in named)
        else:
            found = self._make_up(field, attribute.type, ids, least)
        if field not in self._sight.paired and field not in self._kept and least == 1:
            found = self._merge(field, found)
        return [None, *found] if attribute.nullable else found

    def describe(self, field: Field) -> Attribute:
        """Find what a field is declared as."""
        kind, name = field
        if kind:
            return self._schema.types[kind].attributes[name]
        given = {**self._schema.context, **self._schema.parameters}
        if name in given:
            attribute = given[name]
            return Attribute(name, attribute.type, nullable=not attribute.many)
        return Attribute(name, self._sight.givens[name], nullable=name != NOW.name)

    def _make_up(
        self, field: Field, kind: str, ids: Mapping[str, Sequence[str]], least: int
    ) -> list[Any]:
        alike = self._sight.find_alike(field)
        named = [each for each in self.find_named(field) if isinstance(each, _PLAIN)]
        for each in alike:
            named += ids.get(each[0], ()) if each[1] == ID else self._choices(each)
        named = list(dict.fromkeys(named))
        is_ordered = any(each in self._sight.ordered for each in alike)
        if kind == INTEGER:
            return _make_up_numbers(named, is_ordered=is_ordered)
        if kind == DATETIME:
            return list(_MOMENTS)
        free = [each for each in alike if each[1] != ID]
        # it may matter whether two values are the same that no policy names
        is_paired = len(free) > 1 or not self._sight.twins.isdisjoint(free)
        most = max(least - len(named), 2 if is_paired else 1)
        unnamed = (each for each in _make_up_words() if each not in named)
        fresh = list(islice(unnamed, most))
        if is_ordered:
            fresh = sorted({*fresh, "", *(f"{each}~" for each in named)}.difference(named))
        return [*fresh, *named]

    def _choices(self, field: Field) -> Sequence[str]:
        return self.describe(field).choices if field[0] else ()

    def _merge(self, field: Field, values: list[Any]) -> list[Any]:
        """Leave out values of which conditions say the same as of one before."""
        tests = self._sight.tests[field]
        told: dict[tuple[bool, ...], Any] = {}
        for value in values:
            told.setdefault(tuple(_passes(value, *each) for each in tests), value)
        return list(told.values())


def compare(operator: str, left: Any, right: Any) -> bool:
    """Compare two values of one kind as the conditions of clauses do; none of them is null."""
    match operator:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case _:
            return bool(left == right)


def _passes(value: Any, operator: str, literals: Sequence[Literal]) -> bool:
    values = [each.value for each in literals]
    return value in values if operator == EQUAL else compare(operator, value, values[0])


def _make_up_words() -> Iterator[str]:
    yield from ("other", "another")
    yield from (f"other-{number}" for number in count(3))


def _make_up_numbers(named: Sequence[Any], *, is_ordered: bool) -> list[int]:
    """Make up numbers beside those that are named, or around them."""
    whole = {int(each // 1) for each in named}
    highest = max(whole, default=0)
    found = {*whole, highest + 1, highest + 2}
    if is_ordered:  # so that one can lie between two others
        found |= {each + step for each in whole or {2} for step in (-1, 0, 1)}
    fitting = sorted(each for each in found if -_LARGEST <= each <= _LARGEST)
    return sorted(fitting, key=lambda each: each in named)
