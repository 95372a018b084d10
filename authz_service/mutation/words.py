"""Which words could stand where a word of a policy stands.

A word that stands for an action could be any other action of the resource, one that an attribute
is compared with any other of its choices. Of other words nobody says which there are; there it is
those that the policies write in the same kind of place: the same parameter of a rule, the same
attribute.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from authz_service.polar import syntax
from authz_service.polar.actions import find_action_words
from authz_service.polar.blocks import expand_blocks
from authz_service.polar.calls import find_fixed
from authz_service.polar.types import Universe, build_scope, find_conditions_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz_service.polar.schema import Schema
    from authz_service.polar.syntax import Constant, Rule, Span, Statement, Term, TypePattern
    from authz_service.polar.types import Kind, Scope

# What a word can be: text, a number, or a truth value.
Word = str | float | bool

# A kind of place: a parameter of rules of a name, an attribute, or a variable of a rule.
Slot = tuple[str, str, int]

_NOWHERE: Final[Slot] = ("", "", 0)
_REASONS: Final[Slot] = ("parameter", "forbid", 0)


class Words:
    """Knows what could stand in place of each word of some policies.

    Arguments:
        statements: of all files.
        schema: what actions there are, and which choices an attribute has.
    """

    def __init__(self, statements: Sequence[Statement], schema: Schema) -> None:
        blocks = {each.type_name: each for each in statements if isinstance(each, syntax.Block)}
        self._universe = Universe(schema, blocks)
        self._closed: dict[Span, Iterable[str]] = {}
        self._slots: dict[Span, Slot] = {}
        self._written: defaultdict[Slot, dict[str, None]] = defaultdict(dict)
        rules = expand_blocks(statements)
        for rule in rules:
            self._look_at(rule)
        for word, resource, _ in find_action_words(rules, self._universe):
            self._closed[word.span] = sorted(self._universe.actions(resource))

    def find_others(self, constant: Constant) -> tuple[Word, ...]:
        """Find what could stand in place of a word; nothing for `nil`."""
        value = constant.value
        if value is None:
            return ()
        if isinstance(value, bool):
            return (not value,)
        if not isinstance(value, str):
            return (value + 1,)
        if constant.span in self._closed:
            return tuple(each for each in self._closed[constant.span] if each != value)
        slot = self._slots.get(constant.span, _NOWHERE)
        others = tuple(each for each in self._written[slot] if each != value)
        # which wrong reason is given makes no difference
        return others[:1] if slot == _REASONS else others

    def _look_at(self, rule: Rule) -> None:
        scope = build_scope(rule, self._universe)
        own = {
            each.term.name: ("parameter", rule.name, place)
            for place, each in enumerate(rule.parameters)
            if isinstance(each.term, syntax.Variable)
        }
        for place, parameter in enumerate(rule.parameters):
            self._take(find_fixed(parameter), ("parameter", rule.name, place))
            if isinstance(parameter.pattern, syntax.TypePattern):
                self._look_at_fields(parameter.pattern, scope, scope.kind(parameter.term))
        for condition, inner in find_conditions_in(rule.body, scope):
            match condition:
                case syntax.Membership(item=item, collection=syntax.ListTerm(items=items)):
                    self._compare(item, items, inner, own)
                case syntax.Comparison(left=left, right=right):
                    self._compare(left, (right,), inner, own)
                    self._compare(right, (left,), inner, own)
                case syntax.Call(name=name, arguments=arguments):
                    for place, argument in enumerate(arguments):
                        self._take(argument, ("parameter", name, place))
                case syntax.Match(value=value, pattern=syntax.TypePattern() as pattern):
                    self._look_at_fields(pattern, inner, inner.kind(value))

    def _look_at_fields(self, pattern: TypePattern, scope: Scope, kind: Kind) -> None:
        owner = self._universe.named(pattern.type_name) if pattern.type_name else kind
        for name, value in pattern.fields:
            of_field = scope.step(owner, name)
            if isinstance(value, syntax.TypePattern):
                self._look_at_fields(value, scope, of_field)
            else:
                self._take(value, ("attribute", name, 0), of_field)

    def _compare(
        self, term: Term, words: Iterable[Term], scope: Scope, own: dict[str, Slot]
    ) -> None:
        """Take words that something is compared with."""
        match term:
            case syntax.Path(attributes=(*_, last)):
                slot = ("attribute", last, 0)
            case syntax.Variable(name=name):
                slot = own.get(name, ("variable", name, 0))
            case _:
                return
        for each in words:
            self._take(each, slot, scope.kind(term))

    def _take(self, term: object, slot: Slot, kind: Kind | None = None) -> None:
        if not isinstance(term, syntax.Constant) or not isinstance(term.value, str):
            return
        if kind and kind.attribute and kind.attribute.choices:
            self._closed[term.span] = kind.attribute.choices
        self._slots[term.span] = slot
        self._written[slot][term.value] = None
