"""A request as engines take it: every name declared, every value of its declared type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import Fault, Place, RequestError
from authz_service.polar.schema import BOOLEAN, INTEGER, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.store.entity import Reference

_PYTHON_TYPES: Final = {STRING: str, BOOLEAN: bool, INTEGER: int}
_NAMES: Final = {STRING: "a string", BOOLEAN: "a boolean", INTEGER: "an integer"}


@dataclass(frozen=True)
class Request:
    """Can the subject do the action on the resource, given what the caller says?

    Arguments:
        subject: who asks.
        action: what for, by name.
        resource: on which entity.
        given: every context key and action parameter that the schema declares; where the caller
            said nothing, None, or an empty list for a collection.
    """

    subject: Reference
    action: str
    resource: Reference
    given: Mapping[str, Any]


def read_given(
    schema: Schema, context: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Pick what the schema declares from what a caller said; the rest is ignored.

    Arguments:
        schema: the vocabulary.
        context: what was said about the request as a whole.
        parameters: what was said about the action itself.

    Raises:
        RequestError: for every declared value of a wrong type.
    """
    faults: list[Fault] = []
    given: dict[str, Any] = {}
    for attributes, values, where in (
        (schema.context, context, "context"),
        (schema.parameters, parameters, "action.properties"),
    ):
        for name, attribute in attributes.items():
            value = values.get(name)
            given[name] = [] if value is None and attribute.many else value
            if value is not None:
                faults += _check_type(attribute, value, where)
    if faults:
        raise RequestError(faults)
    return given


def _check_type(attribute: Attribute, value: Any, where: str) -> Iterator[Fault]:
    wanted, name = _PYTHON_TYPES[attribute.type], _NAMES[attribute.type]
    items = value if attribute.many and isinstance(value, list) else [value]
    if (attribute.many and items is not value) or any(type(item) is not wanted for item in items):
        expected = f"a list, each item {name}" if attribute.many else name
        place = Place(f"{where}.{attribute.name}")
        yield Fault(place, "wrong_type", f"`{place}` must be {expected}")
