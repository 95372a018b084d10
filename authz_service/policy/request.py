"""A request as engines take it: every name declared, every value of its declared type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.errors import Fault, Place, RequestError
from authz_service.polar.schema import BOOLEAN, INTEGER, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.store.entity import Reference

_PYTHON_TYPES: Final = {STRING: str, BOOLEAN: bool, INTEGER: int}
_NAMES: Final = {STRING: "a string", BOOLEAN: "a boolean", INTEGER: "an integer"}


class Request(NamedTuple):
    """Can the subject do the action on the resource, given what the caller says?

    A named tuple, for it is made for each question, in half the time that a dataclass takes.

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
            if value is None:
                given[name] = [] if attribute.many else None
                continue
            given[name] = value
            if attribute.many or type(value) is not _PYTHON_TYPES[attribute.type]:
                faults += _check_type(attribute, value, where)
    if faults:
        raise RequestError(faults)
    return given


def _check_type(attribute: Attribute, value: Any, where: str) -> Iterator[Fault]:
    wanted, name = _PYTHON_TYPES[attribute.type], _NAMES[attribute.type]
    place = Place(f"{where}.{attribute.name}")
    if not attribute.many:
        if type(value) is not wanted:
            yield Fault(place, "wrong_type", f"`{place}` must be {name}")
    elif not isinstance(value, list) or any(type(item) is not wanted for item in value):
        yield Fault(place, "wrong_type", f"`{place}` must be a list, each item {name}")
