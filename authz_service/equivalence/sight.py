"""What some clauses look at: nothing else of a store or a question can change what they say."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from authz_service.polar.schema import SCALARS
from authz_service.policy.clauses import (
    HERE,
    ID,
    MIRRORED,
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz_service.polar.schema import Schema
    from authz_service.policy.clauses import Clause, Condition, Operand, Source

# An attribute, by its type and its name; without a type, something that comes with the question.
Field = tuple[str, str]

# Whose attribute is looked at: the subject's, the resource's, or that of any row.
ANY: Final = "any"

EQUAL: Final = "="
_ORDERS: Final = frozenset({"<", "<=", ">", ">="})


class Sight:
    """What some clauses look at.

    Arguments:
        clauses: which.
        schema: the vocabulary.

    Attributes:
        attributes: that are looked at, with whose they are; references included.
        walked: the types of which any entity will do, so that it matters whether there is one.
        links: the many-to-many attributes.
        lists: the lists that come with the question.
        givens: the single values that do, with their types.
        tests: for a field, the operators and the values that it is compared with.
        paired: the fields that are compared with others, or with themselves in another row.
        twins: the fields that are compared with themselves.
        ordered: the fields that are asked for their order.
    """

    def __init__(self, clauses: Iterable[Clause], schema: Schema) -> None:
        self._schema = schema
        self.attributes: defaultdict[Field, set[str]] = defaultdict(set)
        self.walked: set[str] = set()
        self.links: set[Field] = set()
        self.lists: set[str] = set()
        self.givens: dict[str, str] = {}
        self.tests: defaultdict[Field, list[tuple[str, tuple[Literal, ...]]]] = defaultdict(list)
        self.paired: set[Field] = set()
        self.twins: set[Field] = set()
        self.ordered: set[Field] = set()
        self._alike: dict[Field, Field] = {}
        for each in clauses:
            self._add_clause(each, {})

    @property
    def orders_ids(self) -> bool:
        """Whether it matters which of two ids comes first."""
        return any(name == ID for each in self.ordered for _, name in self.find_alike(each))

    def find_alike(self, field: Field) -> list[Field]:
        """Find the fields whose values meet those of a field, itself included."""
        root = self._root(field)
        known = {*self._alike, *self.tests, field}
        return sorted(each for each in known if self._root(each) == root)

    def look_at(self, field: Field) -> None:
        """Look at an attribute of any row as well."""
        self.attributes[field].add(ANY)

    def _root(self, field: Field) -> Field:
        while self._alike.get(field, field) != field:
            field = self._alike[field]
        return field

    def _add_clause(self, clause: Clause, outer: Mapping[str, Source]) -> None:
        sources = {**outer, **{each.alias.name: each for each in clause.sources}}
        joined = {name for each in clause.conditions for name in _find_joined(each, sources)}
        for source in clause.sources:
            match source:
                case RowSource():
                    if source.alias.name not in joined:
                        self.walked.add(source.alias.type)
                case LinkSource():
                    self.links.add((source.owner, source.attribute))
                case ListSource():
                    self.lists.add(source.given)
        for condition in clause.conditions:
            self._add_condition(condition, sources)

    def _add_condition(self, condition: Condition, sources: Mapping[str, Source]) -> None:
        match condition:
            case Absent():
                self._add_clause(condition.clause, sources)
            case IsNull():
                self._see(condition.operand, sources)
            case OneOf():
                self._see(condition.operand, sources)
                self._test(EQUAL, condition.operand, condition.values, sources)
            case Comparison():
                self._see(condition.left, sources)
                self._see(condition.right, sources)
                self._compare(condition, sources)

    def _compare(self, condition: Comparison, sources: Mapping[str, Source]) -> None:
        operator, left, right = condition.operator, condition.left, condition.right
        if isinstance(left, Literal):
            operator, left, right = MIRRORED[operator], right, left
        if isinstance(left, Literal):
            return
        if isinstance(right, Literal):
            self._test(operator, left, (right,), sources)
            return
        fields = [self._field(left, sources), self._field(right, sources)]
        if left.type not in SCALARS:
            return
        self.paired.update(fields)
        if fields[0] == fields[1]:
            self.twins.add(fields[0])
        if operator in _ORDERS:
            self.ordered.update(fields)
        self._join(*fields)

    def _test(
        self,
        operator: str,
        operand: Column | Given,
        values: tuple[Literal, ...],
        sources: Mapping[str, Source],
    ) -> None:
        field = self._field(operand, sources)
        self.tests[field].append((operator, values))
        if operator in _ORDERS:
            self.ordered.add(field)

    def _join(self, first: Field, second: Field) -> None:
        self._alike[self._root(first)] = self._root(second)
        self._alike.setdefault(second, second)

    def _see(self, operand: Operand, sources: Mapping[str, Source]) -> None:
        if isinstance(operand, Given):
            self.givens[operand.name] = operand.type
        if not isinstance(operand, Column) or not operand.alias.type or operand.name == ID:
            return
        name = operand.alias.name
        whose = name if name in {SUBJECT, RESOURCE} else ANY
        self.attributes[operand.alias.type, operand.name].add(whose)
        if operand.supplied:
            said = f"{name}.{operand.name}"
            self.givens[said] = operand.type
            self.paired.add(("", said))
            self.paired.add(self._field(operand, sources))
            self._join(("", said), self._field(operand, sources))

    def _field(self, operand: Column | Given, sources: Mapping[str, Source]) -> Field:
        """Find the field of a value; that of a reference is the id that it refers to."""
        if isinstance(operand, Given):
            return "", operand.name
        source = sources.get(operand.alias.name)
        if isinstance(source, ListSource):
            return "", source.given
        if isinstance(source, LinkSource):
            target = self._schema.types[source.owner].attributes[source.attribute].type
            return (source.owner if operand.name == HERE else target), ID
        if operand.name == ID:
            return operand.alias.type, ID
        kind = self._schema.types[operand.alias.type].attributes[operand.name].type
        return (operand.alias.type, operand.name) if kind in SCALARS else (kind, ID)


def _find_joined(condition: Condition, sources: Mapping[str, Source]) -> list[str]:
    """Find the rows that a reference leads to, so that they are there when it is."""
    if not isinstance(condition, Comparison) or condition.operator != EQUAL:
        return []
    sides = (condition.left, condition.right)
    if not all(isinstance(each, Column) and each.type not in SCALARS for each in sides):
        return []
    return [
        each.alias.name
        for each, other in (sides, sides[::-1])
        if isinstance(each, Column) and isinstance(other, Column)
        if each.name == ID and each.alias.name in sources
        if other.name != ID or other.alias.name in {SUBJECT, RESOURCE}
    ]
