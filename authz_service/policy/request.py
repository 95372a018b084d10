"""A request as engines take it: every name declared, every value of its declared type."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.document import parse_time
from authz_service.errors import Fault, Place, RequestError
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, STRING
from authz_service.policy.clauses import RESOURCE, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.store.entity import Reference

_PYTHON_TYPES: Final = {STRING: str, BOOLEAN: bool, INTEGER: int}
_NAMES: Final = {
    STRING: "a string",
    BOOLEAN: "a boolean",
    INTEGER: "an integer",
    DATETIME: "a time such as 2026-01-05T09:00:00Z",
}


class Request(NamedTuple):
    """Can the subject do the action on the resource, given what the caller says?

    A named tuple, for it is made for each question, in half the time that a dataclass takes.

    Arguments:
        subject: who asks.
        action: what for, by name.
        resource: on which entity.
        given: every context key and action parameter that the schema declares; where the caller
            said nothing, None, or an empty list for a collection.
        supplied: attributes that the caller brought with the question, as `subject.role` or
            `resource.status`; those alone of which the schema says that they can be.
    """

    subject: Reference
    action: str
    resource: Reference
    given: Mapping[str, Any]
    supplied: Mapping[str, Any] = MappingProxyType({})

    def fill_in(self, searched: str, found: str) -> Request:
        """Ask the same about one that a search found, of which the caller supplies nothing.

        Arguments:
            searched: `subject` or `resource`.
            found: its id.
        """
        supplied = {
            name: value
            for name, value in self.supplied.items()
            if not name.startswith(f"{searched}.")
        }
        if searched == SUBJECT:
            return self._replace(subject=replace(self.subject, id=found), supplied=supplied)
        return self._replace(resource=replace(self.resource, id=found), supplied=supplied)


@dataclass(frozen=True)
class Said:
    """What a caller says with a question, as it came.

    Arguments:
        context: about the request as a whole.
        subject, action, resource: about each of them, AuthZEN's `properties`.
    """

    context: Mapping[str, Any] = field(default_factory=dict)
    subject: Mapping[str, Any] = field(default_factory=dict)
    action: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Which part of what a search finds is wanted.

    Arguments:
        after: the last id that was seen; empty for the beginning.
        limit: how many ids at the most.
        time_limit: milliseconds that finding them may take.
    """

    after: str
    limit: int
    time_limit: int


def build_request(
    schema: Schema,
    subject: Reference,
    action: str,
    resource: Reference,
    said: Said | None = None,
) -> Request:
    """Build a request of what the schema declares; whatever else was said is ignored.

    Raises:
        RequestError: for every declared value of a wrong type.
    """
    said = said or Said()
    faults: list[Fault] = []
    given: dict[str, Any] = {}
    try:
        given = read_given(schema, said.context, said.action)
    except RequestError as error:
        faults += error.faults
    supplied = {
        **_read_supplied(schema, SUBJECT, subject, said.subject, faults),
        **_read_supplied(schema, RESOURCE, resource, said.resource, faults),
    }
    if faults:
        raise RequestError(faults)
    return Request(subject, action, resource, given, supplied)


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
            elif type(value) is str and attribute.type == STRING and not attribute.many:
                given[name] = value  # by far the most are this
            else:
                given[name] = _read(attribute, value, f"{where}.{name}", faults)
    if faults:
        raise RequestError(faults)
    return given


def read_inputs(schema: Schema, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what only the performing of an action needs from what a caller said about it.

    Arguments:
        schema: the vocabulary.
        parameters: what was said about the action itself.

    Raises:
        RequestError: for every declared value of a wrong type.
    """
    faults: list[Fault] = []
    given: dict[str, Any] = {}
    for name, attribute in schema.inputs.items():
        value = parameters.get(name)
        given[name] = None
        if value is not None:
            given[name] = _read(attribute, value, f"action.properties.{name}", faults)
    if faults:
        raise RequestError(faults)
    return given


def _read_supplied(
    schema: Schema,
    part: str,
    reference: Reference,
    properties: Mapping[str, Any],
    faults: list[Fault],
) -> dict[str, Any]:
    """Pick the attributes of an entity that can be supplied from what was said about it."""
    entity_type = schema.types.get(reference.type)
    if entity_type is None or not properties:
        return {}
    supplied = {}
    for name, value in properties.items():
        attribute = entity_type.attributes.get(name)
        if attribute is None or not attribute.supplied or value is None:
            continue
        where = f"{part}.properties.{name}"
        supplied[f"{part}.{name}"] = _read(attribute, value, where, faults)
    return supplied


def _read(attribute: Attribute, value: Any, where: str, faults: list[Fault]) -> Any:
    """Read a value, or each of a list of them; add what is wrong with it to the faults."""
    name = _NAMES[attribute.type]
    wanted = f"a list, each item {name}" if attribute.many else name
    try:
        if not attribute.many:
            return _read_value(attribute.type, value)
        if isinstance(value, list):
            return [_read_value(attribute.type, each) for each in value]
    except OverflowError:
        wanted += " of at most 64 bits"  # which the databases hold
    except (TypeError, ValueError):
        pass
    faults.append(Fault(Place(where), "wrong_type", f"`{where}` must be {wanted}"))
    return None


def _read_value(type_name: str, value: Any) -> Any:
    if type_name == DATETIME:
        return parse_time(value)
    if type(value) is not _PYTHON_TYPES[type_name]:
        raise TypeError(type_name)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise OverflowError(type_name)
    return value
