"""Values made equal: what gives a variable its value, and what a pattern asks of a value."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authz_service.errors import suggest
from authz_service.polar import syntax
from authz_service.polar.blocks import ACTOR
from authz_service.polar.blocks import RESOURCE as BLOCK
from authz_service.polar.schema import BOOLEAN, INTEGER, STRING
from authz_service.policy.clauses import (
    HERE,
    ITEM,
    THERE,
    Column,
    Comparison,
    Given,
    LinkSource,
    ListSource,
    Literal,
    RowSource,
)
from authz_service.policy.symbols import (
    Entity,
    Frame,
    RequestValue,
    Unbound,
    exclude_null,
    id_of,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authz_service.polar.schema import Schema
    from authz_service.polar.syntax import Span
    from authz_service.policy.semantics import Semantics
    from authz_service.policy.symbols import (
        Collection,
        GivenItems,
        State,
        Value,
    )

_PYTHON_TYPES: Final = {str: STRING, bool: BOOLEAN, int: INTEGER, float: "Float"}
_PLAIN_TYPES: Final = {STRING, BOOLEAN, INTEGER, "Float", "List", "Dictionary", "Request"}


class Unifier:
    """Makes values equal, or finds when they are.

    Arguments:
        semantics: compares what has a value.
        schema: the types.
        references: for each derived collection, as type and attribute, the attribute of its
            entities that refers to the owner.
        statements: their blocks say what `Actor` and `Resource` mean.
    """

    def __init__(
        self,
        semantics: Semantics,
        schema: Schema,
        references: Mapping[tuple[str, str], str],
        statements: Iterable[syntax.Statement],
    ) -> None:
        self._semantics = semantics
        self._schema = schema
        self._references = references
        self._classes = {each.class_name for each in schema.types.values()}
        blocks = [each for each in statements if isinstance(each, syntax.Block)]
        self._groups = {
            ACTOR: {each.type_name for each in blocks if each.kind == "actor"},
            BLOCK: {each.type_name for each in blocks if each.kind == "resource"},
        }
        self._fresh = itertools.count(1)

    def make_variable(self) -> Unbound:
        """Make a variable that nothing else shares."""
        return Unbound(next(self._fresh))

    def unify(self, left: Value, right: Value, span: Span, state: State) -> State | None:
        """Require that two values are equal; None when they never are."""
        left, right = state.walk(left), state.walk(right)
        if left == right:
            return state
        if isinstance(left, Unbound):
            return self._bind(left, right, state)
        if isinstance(right, Unbound):
            return self._bind(right, left, state)
        conditions = self._semantics.compare(left, right, span)
        return None if conditions is None else state.require(*conditions)

    def _bind(self, variable: Unbound, value: Value, state: State) -> State | None:
        bound: State | None = state.bind(variable, value)
        for pattern, variables in state.patterns.get(variable.number, ()):
            frame = Frame((), variables)
            bound = bound and self.match(value, pattern, frame, bound)
        return bound

    def match(
        self, value: Value, pattern: syntax.Pattern, frame: Frame, state: State
    ) -> State | None:
        """Require that a value is what a pattern says."""
        value = state.walk(value)
        if not isinstance(pattern, syntax.TypePattern):
            own, state = self.plain(pattern, frame, state)
            return self.unify(own, value, pattern.span, state)
        if isinstance(value, Unbound):
            waiting = (*state.patterns.get(value.number, ()), (pattern, frame.variables))
            return replace(state, patterns={**state.patterns, value.number: waiting})
        if pattern.type_name and not self._is_of_type(value, pattern):
            return None
        matched: State | None = exclude_null(value, state) if pattern.type_name else state
        for name, wanted in pattern.fields:
            found = matched and self._semantics.look_up(value, name, wanted.span, matched)
            matched = found and self.match(found[0], wanted, frame, found[1])
        return matched

    def _is_of_type(self, value: Value, pattern: syntax.TypePattern) -> bool:
        name = pattern.type_name
        if not any(name in known for known in (self._classes, _PLAIN_TYPES, self._groups)):
            nearest = suggest(name, {*self._classes, *_PLAIN_TYPES})
            message = f"there is no type `{name}`{nearest}"
            raise refuse(pattern.span, "unknown_type", message)
        match value:
            case Entity():
                class_name = self._schema.types[value.type].class_name
                return name == class_name or class_name in self._groups.get(name, ())
            case Literal():
                return _PYTHON_TYPES.get(type(value.value)) == name
            case Column() | Given():
                return value.type == name
            case RequestValue():
                return name == "Request"
            case _:
                return name == "List"

    def plain(
        self, term: syntax.Term | syntax.Pattern, frame: Frame, state: State
    ) -> tuple[Value, State]:
        """Find what a variable or a value stands for."""
        match term:
            case syntax.Constant():
                if isinstance(term.value, str) and "\0" in term.value:
                    message = "no database holds this character, so nothing is like this text"
                    raise refuse(term.span, "unusable_text", message)
                return Literal.of(term.value), state
            case syntax.Variable():
                if term.name == "_":
                    return self.make_variable(), state
                if term.name not in frame.variables:
                    frame.variables[term.name] = self.make_variable()
                return frame.variables[term.name], state
            case _:
                message = "a condition cannot be used as a value; write it on its own"
                raise refuse(term.span, "no_value", message)

    def in_given(self, item: Value, items: GivenItems, span: Span, state: State) -> State | None:
        """Require that a value is in a list that comes with the question."""
        alias = state.name_alias("", ITEM)
        state = state.add(ListSource(alias, items.name, items.type))
        return self.unify(item, Column(alias, ITEM, items.type), span, state)

    def in_derived(self, item: Value, items: Collection, state: State) -> State | None:
        """Require that a value is among the entities that refer to an owner."""
        reference = self._references[items.owner_type, items.attribute.name]
        if isinstance(item, Unbound):
            alias = state.name_alias(items.attribute.type)
            bound = self._bind(item, Entity(id_of(alias)), state.add(RowSource(alias)))
        elif isinstance(item, Entity) and item.type == items.attribute.type:
            alias, bound = self._semantics.join(item, state)
        else:
            return None
        attribute = self._schema.types[items.attribute.type].attributes[reference]
        column = Column(alias, reference, items.owner_type, attribute.nullable)
        return bound and bound.require(Comparison("=", column, items.owner))

    def in_linked(self, item: Value, items: Collection, span: Span, state: State) -> State | None:
        """Require that a value is among the entities that an owner is linked to."""
        alias = state.name_alias("", items.attribute.name)
        state = state.add(LinkSource(alias, items.owner_type, items.attribute.name))
        here = Column(alias, HERE, items.owner_type)
        there = Column(alias, THERE, items.attribute.type)
        state = state.require(Comparison("=", here, items.owner))
        return self.unify(item, Entity(there), span, state)
