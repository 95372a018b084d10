"""What kind of value each piece of a rule stands for, as far as the rule alone can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from authz_service.polar.blocks import ACTOR, RESOURCE
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, STRING
from authz_service.polar.syntax import (
    Comparison,
    Constant,
    ListTerm,
    Match,
    Membership,
    Path,
    TypePattern,
    Variable,
)
from authz_service.polar.traversal import find_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.polar.syntax import Block, Parameter, Rule, Term

REQUEST: Final = "Request"
FLOAT: Final = "Float"
NIL: Final = "nil"
NUMBERS: Final = frozenset({INTEGER, FLOAT})
PLAIN: Final = frozenset({STRING, BOOLEAN, INTEGER, FLOAT, DATETIME})


@dataclass(frozen=True)
class Kind:
    """What a value can be.

    Arguments:
        names: the types that it can have: plain ones, entity types by their names in policies,
            `Request`, or `nil`; empty when nothing is known.
        many: whether it is a collection of such values.
        attribute: the attribute that it was read from, if it was.
    """

    names: frozenset[str] = frozenset()
    many: bool = False
    attribute: Attribute | None = None

    @property
    def shown(self) -> str:
        """The kind in words."""
        listed = " or ".join(sorted(self.names)) or "something unknown"
        return f"a collection of {listed}" if self.many else listed

    @property
    def element(self) -> Kind:
        """What one of a collection is."""
        return replace(self, many=False) if self.many else UNKNOWN

    def fits(self, other: Kind) -> bool:
        """Tell whether a value can be of both kinds; what is not known fits everything."""
        if not self.names or not other.names:
            return True
        if self.many != other.many:
            return False
        if NIL in self.names | other.names:
            return True
        return bool(self.names & other.names) or bool(
            self.names & NUMBERS and other.names & NUMBERS
        )


UNKNOWN: Final = Kind()


class Universe:
    """All types that a policy can name.

    Arguments:
        schema: the domain's.
        blocks: the policy's, which make the unions `Actor` and `Resource`.
    """

    def __init__(self, schema: Schema, blocks: Mapping[str, Block]) -> None:
        self.entities = {each.class_name: each for each in schema.types.values()}
        self._unions = {
            ACTOR: frozenset(name for name, each in blocks.items() if each.kind == "actor"),
            RESOURCE: frozenset(name for name, each in blocks.items() if each.kind == "resource"),
        }
        subjects = frozenset(schema.types[name].class_name for name in schema.subjects)
        self._subject = Kind(subjects)
        self._given = {**schema.context, **schema.parameters}

    @property
    def names(self) -> frozenset[str]:
        """Every name that may stand behind `:` or `matches`."""
        unions = {name for name, members in self._unions.items() if members}
        return PLAIN | {REQUEST} | frozenset(self.entities) | unions

    def named(self, name: str) -> Kind:
        """The kind that a name stands for."""
        return Kind(self._unions.get(name) or frozenset({name}))

    def attributes(self, owner: str) -> frozenset[str]:
        """The names of a type's attributes."""
        if owner == REQUEST:
            return frozenset({"subject", "now", *self._given})
        entity = self.entities.get(owner)
        return frozenset(entity.attributes) if entity else frozenset()

    def attribute(self, owner: str, name: str) -> Kind:
        """The kind of an attribute that a type has."""
        if owner == REQUEST:
            if name == "subject":
                return self._subject
            return Kind(frozenset({DATETIME})) if name == "now" else self._kind(self._given[name])
        return self._kind(self.entities[owner].attributes[name])

    def _kind(self, attribute: Attribute) -> Kind:
        entity = next(
            (name for name, each in self.entities.items() if each.name == attribute.type), None
        )
        return Kind(frozenset({entity or attribute.type}), attribute.many, attribute)


def kind_of_constant(constant: Constant) -> Kind:
    """The kind of a value that is written out."""
    value = constant.value
    if value is None:
        return Kind(frozenset({NIL}))
    if isinstance(value, bool):
        return Kind(frozenset({BOOLEAN}))
    if isinstance(value, str):
        return Kind(frozenset({STRING}))
    return Kind(frozenset({INTEGER if isinstance(value, int) else FLOAT}))


def kind_of_parameter(parameter: Parameter, universe: Universe) -> Kind:
    """The kind that a parameter admits."""
    if isinstance(parameter.term, Constant):
        return kind_of_constant(parameter.term)
    pattern = parameter.pattern
    if isinstance(pattern, TypePattern) and pattern.type_name:
        return universe.named(pattern.type_name)
    return kind_of_constant(pattern) if isinstance(pattern, Constant) else UNKNOWN


class Scope:
    """The variables of one rule, with what is known of each."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._kinds: dict[str, Kind] = {}

    def bind(self, name: str, kind: Kind) -> None:
        """Learn what a variable stands for; the first to know is believed."""
        known = self._kinds.get(name, UNKNOWN)
        if not known.names:
            self._kinds[name] = kind

    def learn(self, term: Term) -> None:
        """Learn from a condition; twice, for what is said last may be needed first."""
        for _ in range(2):
            for each in find_conditions(term):
                match each:
                    case Comparison(operator="=", left=left, right=right):
                        self._learn_equal(left, right)
                        self._learn_equal(right, left)
                    case Membership(item=Variable(name=name), collection=collection):
                        self.bind(name, self.kind(collection).element)
                    case Match(value=Variable(name=name), pattern=TypePattern(type_name=kind)):
                        self.bind(name, self._universe.named(kind) if kind else UNKNOWN)

    def _learn_equal(self, left: Term, right: Term) -> None:
        if isinstance(left, Variable):
            self.bind(left.name, self.kind(right))

    def kind(self, term: Term) -> Kind:
        """Tell the kind of a value."""
        match term:
            case Variable():
                return self._kinds.get(term.name, UNKNOWN)
            case Constant():
                return kind_of_constant(term)
            case ListTerm():
                names = [
                    kind_of_constant(each).names
                    for each in term.items
                    if isinstance(each, Constant)
                ]
                return Kind(frozenset().union(*names), many=True)
            case Path():
                return self._walk(term)
            case _:
                return UNKNOWN

    def _walk(self, path: Path) -> Kind:
        kind = self.kind(path.base)
        for name in path.attributes:
            owners = [each for each in kind.names if name in self._universe.attributes(each)]
            if kind.many or len(owners) != len(kind.names) or not owners:
                return UNKNOWN
            kinds = [self._universe.attribute(owner, name) for owner in owners]
            names = frozenset().union(*(each.names for each in kinds))
            kind = Kind(names, kinds[0].many, kinds[0].attribute)
        return kind


def build_scope(rule: Rule, universe: Universe) -> Scope:
    """Learn all that a rule says of its variables."""
    scope = Scope(universe)
    for parameter in rule.parameters:
        if isinstance(parameter.term, Variable):
            scope.bind(parameter.term.name, kind_of_parameter(parameter, universe))
    scope.learn(rule.body)
    return scope
