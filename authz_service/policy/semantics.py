"""What looking up an attribute and comparing two values come to, when they are not known yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from authz_service.errors import suggest
from authz_service.polar.schema import BOOLEAN, DATETIME, SCALARS, STRING
from authz_service.policy.clauses import (
    ID,
    RESOURCE,
    SUBJECT,
    Absent,
    Clause,
    Column,
    Comparison,
    Given,
    IsNull,
    Literal,
    OneOf,
    RowSource,
)
from authz_service.policy.symbols import (
    NOTHING,
    NOW,
    NUMBER,
    SUBJECT_VARIABLE,
    Collection,
    Entity,
    GivenItems,
    RequestValue,
    Unbound,
    exclude_null,
    family,
    id_of,
    is_nullable,
    refuse,
)

if TYPE_CHECKING:
    from authz_service.polar import syntax
    from authz_service.polar.schema import Schema
    from authz_service.polar.syntax import Span
    from authz_service.policy.clauses import (
        Alias,
        Condition,
        Operand,
    )
    from authz_service.policy.symbols import (
        State,
        Value,
    )


class Semantics:
    """What comparing values and looking up their attributes comes to.

    Arguments:
        schema: the types and the request.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._given = {**schema.context, **schema.parameters}

    def join(self, entity: Entity, state: State) -> tuple[Alias, State]:
        """Find the row of an entity, adding it when it is not there; null leads to no row."""
        if entity.key.name == ID:
            return entity.key.alias, state
        if entity.key in state.joined:
            return state.joined[entity.key], state
        alias = state.name_alias(entity.type)
        state = state.add(RowSource(alias))
        state = state.require(Comparison("=", id_of(alias), entity.key))
        return alias, replace(state, joined={**state.joined, entity.key: alias})

    def look_up(
        self, value: Value, name: str, span: Span, state: State
    ) -> tuple[Value, State] | None:
        """Read an attribute; None when the value is nil, for nothing is so of nil's attributes.

        Raises:
            PolicyError: when there is no such attribute.
        """
        value = state.walk(value)
        if isinstance(value, RequestValue):
            return self._look_up_request(name, span), state
        if isinstance(value, Entity):
            return self._look_up_entity(value, name, span, state)
        if value == Literal.of(None):
            return None
        if isinstance(value, Unbound):
            message = f"`{name}` is asked of a variable that has no value yet; give it one before"
            raise refuse(span, "unbound_variable", message)
        raise refuse(span, "unknown_attribute", f"this has no attributes, so no `{name}`")

    def _look_up_request(self, name: str, span: Span) -> Value:
        if name == "subject":
            return SUBJECT_VARIABLE
        if name == NOW.name:
            return NOW
        attribute = self._given.get(name)
        if attribute is None:
            known = [*self._given, "subject", NOW.name]
            message = f"a request has no attribute `{name}`{suggest(name, known)}"
            raise refuse(span, "unknown_attribute", message)
        if attribute.many:
            return GivenItems(name, attribute.type)
        return Given(name, attribute.type)

    def _look_up_entity(
        self, entity: Entity, name: str, span: Span, state: State
    ) -> tuple[Value, State]:
        entity_type = self._schema.types[entity.type]
        attribute = entity_type.attributes.get(name)
        if attribute is None:
            nearest = suggest(name, entity_type.attributes)
            message = f"`{entity_type.class_name}` has no attribute `{name}`{nearest}"
            raise refuse(span, "unknown_attribute", message)
        if attribute.many:
            return Collection(entity.key, entity.type, attribute), exclude_null(entity, state)
        if name == ID:
            return replace(entity.key, type=STRING), exclude_null(entity, state)
        if not entity_type.stored:
            return Given(f"{entity.key.alias.name}.{name}", attribute.type), state
        alias, state = self.join(entity, state)
        supplied = attribute.supplied and alias.name in {SUBJECT, RESOURCE}
        column = Column(alias, name, attribute.type, attribute.nullable, supplied)
        return (column if attribute.type in SCALARS else Entity(column)), state

    def compare(self, left: Value, right: Value, span: Span) -> tuple[Condition, ...] | None:
        """Find when two values are equal: conditions, or None for never.

        Raises:
            PolicyError: when one of them is nothing that can be compared.
        """
        if isinstance(left, RequestValue) or isinstance(right, RequestValue):
            return () if left == right else None
        first, second = self._operand(left, span), self._operand(right, span)
        if isinstance(first, Literal) and isinstance(second, Literal):
            same = family(first) == family(second) and first.value == second.value
            return () if same else None
        if isinstance(first, Literal):
            first, second = second, first
        if isinstance(second, Literal) and second.value is None:
            # no literal but nil can be null, and two literals were compared above
            return (IsNull(first),) if is_nullable(first) else None  # type: ignore[arg-type]
        if family(first) != family(second):
            both = is_nullable(first) and is_nullable(second)
            # as above: neither is a literal
            return (IsNull(first), IsNull(second)) if both else None  # type: ignore[arg-type]
        if first == second:
            return ()
        both = is_nullable(first) and is_nullable(second)
        return (Comparison("same" if both else "=", first, second),)

    def hold(
        self, term: syntax.Comparison, left: Value, right: Value
    ) -> tuple[Condition, ...] | None:
        """Find when a comparison other than `=` holds: conditions, or None for never.

        Raises:
            PolicyError: when values of these types are not compared.
        """
        if term.operator not in {"==", "!="}:
            return self.order(term.operator, left, right, term.span)
        operands = [each for each in (left, right) if isinstance(each, (Column, Given, Literal))]
        families = {family(each) for each in operands} - {NOTHING}
        if len(families) > 1:
            listed = " and ".join(sorted(families))
            message = f"`{term.operator}` cannot compare {listed}"
            raise refuse(term.span, "uncomparable", message)
        conditions = self.compare(left, right, term.span)
        return _contradict(conditions) if term.operator == "!=" else conditions

    def is_truth(self, value: Value) -> bool:
        """Tell whether a value is `true` or `false`, and never nil."""
        if isinstance(value, (Column, Given, Literal)):
            return family(value) == BOOLEAN and not is_nullable(value)
        return False

    def order(
        self, operator: str, left: Value, right: Value, span: Span
    ) -> tuple[Condition, ...] | None:
        """Find when values are in order: conditions, or None for never; nil is in no order.

        Raises:
            PolicyError: when they have no order.
        """
        first, second = self._operand(left, span), self._operand(right, span)
        families = {family(first), family(second)}
        if NOTHING in families:
            return None
        if len(families) > 1 or not families <= {STRING, NUMBER, DATETIME}:
            listed = " and ".join(sorted(families))
            message = f"`{operator}` cannot compare {listed}; compare two numbers, texts or times"
            raise refuse(span, "uncomparable", message)
        if isinstance(first, Literal) and isinstance(second, Literal):
            return () if _in_order(operator, first, second) else None
        return (Comparison(operator, first, second),)

    def among(self, item: Value, values: tuple[Value, ...]) -> OneOf | None:
        """Find when a value is among written ones, if that is a single condition."""
        operand = item if isinstance(item, (Column, Given)) else None
        literals = [each for each in values if isinstance(each, Literal)]
        if operand is None or len(literals) < len(values):
            return None
        if any(each.value is None for each in literals):
            return None
        return OneOf(operand, tuple(each for each in literals if family(each) == family(operand)))

    def _operand(self, value: Value, span: Span) -> Operand:
        if isinstance(value, Entity):
            return value.key
        if isinstance(value, (Column, Given, Literal)):
            return value
        if isinstance(value, Unbound):
            message = "a variable that has no value yet cannot be compared; give it one before"
            raise refuse(span, "unbound_variable", message)
        message = "a list cannot be compared; ask with `in` what is in it"
        raise refuse(span, "uncomparable", message)


def _contradict(conditions: tuple[Condition, ...] | None) -> tuple[Condition, ...] | None:
    """Find when not all of some conditions hold."""
    if conditions is None:
        return ()
    return (Absent(Clause((), conditions)),) if conditions else None


def _in_order(operator: str, left: Literal, right: Literal) -> bool:
    first, second = left.value, right.value
    below = first < second  # type: ignore[operator]  # both are of one family that has an order
    above = first > second  # type: ignore[operator]  # as above
    return {"<": below, "<=": not above, ">": above, ">=": not below}[operator]
