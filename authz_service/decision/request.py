"""A request as callers make it, and its check against the vocabulary of the domain."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """Can the subject do the action on the resource?

    Arguments:
        subject: who asks.
        action: what for, by name.
        resource: on which entity.
        context: what the caller says about the request as a whole; keys that the domain does not
            declare are ignored, as AuthZEN has it.
        parameters: what the caller says about the action itself; the same holds.
    """

    subject: Reference
    action: str
    resource: Reference
    context: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def read_given(self, schema: Schema) -> dict[str, Any]:
        """Pick what the schema declares; what was not said is None, or an empty list.

        Raises:
            RequestError: for every value of a wrong type.
        """
        faults: list[Fault] = []
        given: dict[str, Any] = {}
        for attributes, said, where in (
            (schema.context, self.context, "context"),
            (schema.parameters, self.parameters, "action.properties"),
        ):
            for name, attribute in attributes.items():
                value = said.get(name)
                given[name] = [] if value is None and attribute.many else value
                faults += _check_type(attribute, value, Place(f"{where}.{name}"))
        if faults:
            raise RequestError(faults)
        return given


def _check_type(attribute: Attribute, value: Any, place: Place) -> Iterator[Fault]:
    wanted, name = _PYTHON_TYPES[attribute.type], _NAMES[attribute.type]
    if value is None:
        return
    if not attribute.many:
        if type(value) is not wanted:
            yield Fault(place, "wrong_type", f"`{place}` must be {name}")
    elif not isinstance(value, list) or any(type(item) is not wanted for item in value):
        yield Fault(place, "wrong_type", f"`{place}` must be a list, each item {name}")
