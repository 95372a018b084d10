"""What people say with a question: as text, and held against the domain, name by name.

A program may say more than a domain reads, and AuthZEN has that ignored. Whoever writes a scenario
or a command wants to be told of a slip of the pen.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import Fault, Place, RequestError, quote, suggest
from authz_service.policy.request import Said, build_request, read_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.policy.request import Request
    from authz_service.store.entity import Reference

PARTS: Final = ("subject", "action", "resource", "context")
CHANNEL: Final = "channel"


# Subject, action and resource of a question.
Asked = tuple["Reference", str, "Reference"]


def build_checked_request(
    schema: Schema, subject: Reference, action: str, resource: Reference, said: Said
) -> Request:
    """Build a request in which everything that was said counts.

    Raises:
        RequestError: for every name that the domain does not take with a question, and every value
            of a wrong type; each has its place as `action.soft`.
    """
    return _build(schema, (subject, action, resource), said, schema.parameters)


def build_checked_deed(
    schema: Schema, subject: Reference, action: str, resource: Reference, said: Said
) -> tuple[Request, dict[str, Any]]:
    """Build the same of what is to be performed, with what only the doing needs.

    Raises:
        RequestError: as above.
    """
    taken = {**schema.parameters, **schema.inputs}
    request = _build(schema, (subject, action, resource), said, taken)
    try:
        return request, read_inputs(schema, said.action)
    except RequestError as error:
        raise RequestError(map(shorten, error.faults)) from None


def _build(
    schema: Schema, asked: Asked, said: Said, parameters: Mapping[str, Attribute]
) -> Request:
    subject, _, resource = asked
    strangers = list(_find_strangers(schema, (subject, resource), said, parameters))
    try:
        request = build_request(schema, *asked, said)
    except RequestError as error:
        raise RequestError([*strangers, *map(shorten, error.faults)]) from None
    if strangers:
        raise RequestError(strangers)
    return request


def add_channel(said: Said, channel: str | None) -> Said:
    """Add the channel, if there is one, to what comes with a question."""
    if channel is None:
        return said
    return replace(said, context={**said.context, CHANNEL: channel})


def read_said(texts: Iterable[str]) -> Said:
    """Read what was written as `PART.NAME=VALUE`; a value is JSON where it parses, else text.

    Raises:
        ValueError: when a text is not of that form, or something is said twice.
    """
    parts: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for text in texts:
        place, sign, value = text.partition("=")
        part, _, name = place.partition(".")
        if not (sign and name):
            message = f"{quote(text)} is not of the form PART.NAME=VALUE, as in action.soft=true"
            raise ValueError(message)
        if part not in PARTS:
            raise ValueError(f"{quote(part)} is no part of a question{suggest(part, PARTS)}")
        if name in parts[part]:
            raise ValueError(f"{quote(place)} is said twice")
        parts[part][name] = _read_value(value)
        if parts[part][name] is None:
            raise ValueError(f"{quote(place)} is null; leave out what is not said")
    return Said(**parts)


def write_said(said: Said) -> list[str]:
    """Write what was said, so that it is read as the same."""
    return [
        f"{part}.{name}={_write_value(value)}"
        for part in PARTS
        for name, value in getattr(said, part).items()
    ]


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _write_value(value: Any) -> str:
    if isinstance(value, str) and _read_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _find_strangers(
    schema: Schema,
    entities: tuple[Reference, Reference],
    said: Said,
    parameters: Mapping[str, Attribute],
) -> Iterator[Fault]:
    """Find the names that mean nothing; what a type has that is unknown, nobody can tell."""
    known: dict[str, Mapping[str, Attribute]] = {
        "context": schema.context,
        "action": parameters,
    }
    for part, reference in zip(("subject", "resource"), entities, strict=True):
        if reference.type in schema.types:
            known[part] = schema.types[reference.type].attributes
    for part, attributes in known.items():
        # what a request as a whole or an action takes always comes with the question
        is_entity = part in {"subject", "resource"}
        taken = [each.name for each in attributes.values() if each.supplied or not is_entity]
        for name in getattr(said, part):
            if name in taken:
                continue
            place = f"{part}.{name}"
            why = ": it is stored" if name in attributes else suggest(name, taken)
            message = f"no {quote(place)} comes with a question{why}"
            yield Fault(Place(place), "unknown_name", message)


def shorten(fault: Fault) -> Fault:
    """Name a member of a request as people do: `subject.properties.role` is `subject.role`."""
    name = fault.where.name
    short = name.replace(".properties.", ".", 1)
    return Fault(Place(short), fault.code, fault.message.replace(f"`{name}`", f"`{short}`"))
