"""What kind of value each piece of a rule stands for, as far as the rule alone can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from authz_service.polar.blocks import ACTOR, RESOURCE
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, STRING
from authz_service.polar.syntax import (
    And,
    Comparison,
    Constant,
    ForAll,
    ListTerm,
    Match,
    Membership,
    Not,
    Or,
    Path,
    Refused,
    TypePattern,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.polar.syntax import Block, Parameter, Pattern, Rule, Term

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
        unions = {name for name, members in self._unions.items() if members}
        # every name that may stand behind `:` or `matches`
        self.names: Final = PLAIN | {REQUEST} | frozenset(self.entities) | unions

    def named(self, name: str) -> Kind:
        """The kind that a name stands for; nothing is known of a name that there is not."""
        if name not in self.names:
            return UNKNOWN
        return Kind(self._unions.get(name) or frozenset({name}))

    @property
    def subject(self) -> Kind:
        """What can ask for something."""
        return self._subject

    def actions(self, kind: Kind) -> frozenset[str]:
        """What can be asked of a resource of some kind; of any, when that is not known."""
        names = kind.names or self.entities
        entities = [self.entities[name] for name in names if name in self.entities]
        return frozenset(action for each in entities for action in each.actions)

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


def unite(kinds: Sequence[Kind]) -> Kind:
    """The kind of a value that is of one of several kinds; unknown when one of them is."""
    if not kinds or not all(kind.names for kind in kinds) or len({k.many for k in kinds}) > 1:
        return UNKNOWN
    names = frozenset().union(*(kind.names for kind in kinds))
    same = all(kind.attribute == kinds[0].attribute for kind in kinds)
    return Kind(names, kinds[0].many, kinds[0].attribute if same else None)


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
    """The variables of one rule, or of one branch of it, with what is known of each."""

    def __init__(self, universe: Universe, kinds: Mapping[str, Kind] | None = None) -> None:
        self._universe = universe
        self._kinds = dict(kinds or {})

    def within(self, *terms: Term) -> Scope:
        """What is known inside a branch, where more is said than outside of it."""
        inner = Scope(self._universe, self._kinds)
        for term in terms:
            inner.learn(term)
        return inner

    def bind(self, name: str, kind: Kind) -> None:
        """Learn what a variable stands for.

        The first to know is believed, and whoever knows it more closely. Nothing is learnt from
        `nil`, which is of any kind, nor of `_`, which is another variable each time.
        """
        if name == "_" or not kind.names or NIL in kind.names:
            return
        known = self._kinds.get(name, UNKNOWN)
        closer = known.names & kind.names
        if not known.names:
            self._kinds[name] = kind
        elif closer and known.many == kind.many:
            self._kinds[name] = Kind(closer, known.many, known.attribute or kind.attribute)

    def learn(self, term: Term) -> None:
        """Learn from a condition; twice, for what is said last may be needed first."""
        for _ in range(2):
            self._learn(term)

    def _learn(self, term: Term) -> None:
        match term:
            case And(conditions=conditions):
                for each in conditions:
                    self._learn(each)
            case Or(conditions=conditions):
                self._learn_from_branches(conditions)
            case Comparison(operator="=", left=left, right=right):
                self._learn_equal(left, right)
                self._learn_equal(right, left)
            case Membership(item=Variable(name=name), collection=collection):
                self.bind(name, self.kind(collection).element)
            case Match(value=value, pattern=pattern):
                if isinstance(value, Variable) and isinstance(pattern, TypePattern):
                    self.bind(value.name, self._universe.named(pattern.type_name))
                self.learn_pattern(pattern, self.kind(value))

    def _learn_equal(self, left: Term, right: Term) -> None:
        if isinstance(left, Variable):
            self.bind(left.name, self.kind(right))

    def _learn_from_branches(self, branches: Iterable[Term]) -> None:
        """Learn what each branch says of a variable, each in its way."""
        scopes = []
        for branch in branches:
            inner = Scope(self._universe, self._kinds)
            inner._learn(branch)  # once: branches may be nested deeply
            scopes.append(inner)
        kinds = [scope._kinds for scope in scopes]  # noqa: SLF001  # they are scopes like this one
        for name in {name for each in kinds for name in each}:
            self.bind(name, unite([each.get(name, UNKNOWN) for each in kinds]))

    def learn_pattern(self, pattern: Pattern | None, kind: Kind) -> None:
        """Learn from the fields of a pattern that a value of some kind matches."""
        if not isinstance(pattern, TypePattern):
            return
        owner = self._universe.named(pattern.type_name) if pattern.type_name else kind
        for name, value in pattern.fields:
            within = self.step(owner, name)
            if isinstance(value, Variable):
                self.bind(value.name, within)
            self.learn_pattern(value, within)

    def kind(self, term: Term) -> Kind:
        """Tell the kind of a value."""
        match term:
            case Variable():
                return self._kinds.get(term.name, UNKNOWN)
            case Constant():
                return kind_of_constant(term)
            case ListTerm():
                kinds = [self.kind(each) for each in term.items]
                return replace(unite(kinds), many=True, attribute=None)
            case Path():
                kind = self.kind(term.base)
                for name in term.attributes:
                    kind = self.step(kind, name)
                return kind
            case _:
                return UNKNOWN

    def step(self, kind: Kind, name: str) -> Kind:
        """Tell the kind of an attribute of a value; unknown when some such value has none."""
        if kind.many or not all(name in self._universe.attributes(each) for each in kind.names):
            return UNKNOWN
        return unite([self._universe.attribute(each, name) for each in sorted(kind.names)])


def build_scope(rule: Rule, universe: Universe) -> Scope:
    """Learn all that a rule says of its variables."""
    scope = Scope(universe)
    for parameter in rule.parameters:
        kind = kind_of_parameter(parameter, universe)
        if isinstance(parameter.term, Variable):
            scope.bind(parameter.term.name, kind)
        scope.learn_pattern(parameter.pattern, kind)
    scope.learn(rule.body)
    return scope


def find_conditions_in(term: Term, scope: Scope) -> Iterator[tuple[Term, Scope]]:
    """Go through the conditions in a condition, each with what is known where it stands."""
    match term:
        case And(conditions=conditions):
            for each in conditions:
                yield from find_conditions_in(each, scope)
        case Or(conditions=conditions):
            for each in conditions:
                yield from find_conditions_in(each, scope.within(each))
        case Not(condition=condition):
            yield from find_conditions_in(condition, scope.within(condition))
        case ForAll(condition=condition, consequence=consequence):
            inner = scope.within(condition, consequence)
            yield from find_conditions_in(condition, inner)
            yield from find_conditions_in(consequence, inner)
        case Refused():
            return
        case _:
            yield term, scope
