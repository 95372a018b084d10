"""What a value in a scenario file may be: text, entities, times, and what becomes of entities."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields, validate

from authz_service.document import Scalar, parse_time
from authz_service.policy.situation import Demand
from authz_service.scenario.facts import OPERATORS
from authz_service.scenario.step import REMOVED, Sent
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping

# Stands for a sentence of its own, which only whoever knows the key can write.
MISSING: Final = "missing"
_TRUTH: Final = {"true": True, "false": False}
_SENT: Final = "sent"
_LONGEST_WAIT: Final = 1_000


class OneOrMany(fields.List[Any]):
    """A list, or a single value that stands for a list of one."""

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> list[Any]:
        return super()._deserialize(value if isinstance(value, list) else [value], *rest, **options)


class Word(fields.String):
    """Text that is not empty."""

    default_error_messages: dict[str, Any] = {  # noqa: RUF012  # as marshmallow declares it
        "required": MISSING,
        "null": "holds nothing",
        "invalid": "must be text; write it in quotes",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Length(min=1, error="is empty"), **options)


class Entity(fields.Field[Reference]):
    """An entity, as `type/id`."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> Reference:
        if not isinstance(value, str):
            raise ValidationError("must be an entity such as `person/mary`")
        try:
            return Reference.parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Time(fields.Field[datetime]):
    """A time with its zone."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> datetime:
        try:
            return parse_time(value if isinstance(value, str) else "")
        except ValueError:
            message = "must be a time with its zone, such as 2026-01-05T09:00:00Z"
            raise ValidationError(message) from None


class Refusal(fields.Field[tuple[str, tuple[str, ...]]]):
    """An action, or an action with the reasons that must be given."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> tuple[str, tuple[str, ...]]:
        if isinstance(value, str) and value:
            return value, ()
        if isinstance(value, dict) and len(value) == 1:
            action, said = next(iter(value.items()))
            reasons = said if isinstance(said, list) else [said]
            words = [action, *reasons]
            if reasons and all(isinstance(word, str) and word for word in words):
                return action, tuple(reasons)
        raise ValidationError(
            "must be an action, or an action with a reason: `view: not_permitted`"
        )


class Names(fields.Field[dict[str, Any]]):
    """What is said of a part of the question: names with values, and not those that are refused.

    Arguments:
        refused: by name, what to write instead.
        sent: whether a value may be what was sent in a message, as `{sent: code}`.
    """

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def __init__(self, refused: Mapping[str, str] | None = None, *, sent: bool = False) -> None:
        super().__init__()
        self._refused = refused or {}
        self._sent = sent

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be names with values, as in `{soft: true}`")
        if not value:
            raise ValidationError("is empty")
        found, messages = {}, {}
        for name, each in value.items():
            try:
                is_sent = self._sent and isinstance(each, dict)
                found[name] = _read_sent(each) if is_sent else _read_said(each)
            except ValidationError as error:
                messages[name] = error.messages
            if name in self._refused:
                messages[name] = [self._refused[name]]
        if messages:
            raise ValidationError(messages)
        return found


class Truth(fields.Field[bool]):
    """`true` or `false`."""

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> bool:
        if isinstance(value, Scalar) and value.kind == "bool" and value.text.lower() in _TRUTH:
            return _TRUTH[value.text.lower()]
        raise ValidationError("must be `true` or `false`")


class Answers(fields.Field[dict[str, tuple[Reference, ...]]]):
    """Actions, each with all the entities that are found for it; `[]` for none."""

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def _deserialize(
        self, value: Any, *_rest: Any, **_options: Any
    ) -> dict[str, tuple[Reference, ...]]:
        if not isinstance(value, dict) or not value or not all(value):
            message = "must be actions with entities, as in `{view: [person/mary]}`"
            raise ValidationError(message)
        found, messages = dict[str, tuple[Reference, ...]](), {}
        for action, each in value.items():
            try:
                entities: list[Any] = OneOrMany(Entity()).deserialize(each) or []
                found[action] = tuple(entities)
            except ValidationError as error:
                messages[action] = error.messages
        if messages:
            raise ValidationError(messages)
        return found


class Demands(fields.Field[dict[str, Demand]]):
    """What values would have to be, by name: a value, several, or `{at_least: 3}`."""

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> dict[str, Demand]:
        if not isinstance(value, dict) or not value:
            raise ValidationError("must be names with values, as in `{role: [administrator]}`")
        found, messages = {}, {}
        for name, each in value.items():
            try:
                found[name] = _read_demand(each)
            except ValidationError as error:
                messages[name] = error.messages
        if messages:
            raise ValidationError(messages)
        return found


class Count(fields.Field[int]):
    """How many minutes, or other units, the clock is put forward."""

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> int:
        if isinstance(value, Scalar) and value.kind == "int":
            with suppress(ValueError):
                number = int(value.text, 10)
                if 1 <= number <= _LONGEST_WAIT:
                    return number
        raise ValidationError(f"must be a whole number from 1 to {_LONGEST_WAIT}")


class Changes(fields.Field[tuple[Reference, ...]]):
    """The entities that change, each with values, or with the word that it is no more."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> tuple[Reference, ...]:
        if not isinstance(value, dict):
            message = "must be entities with values, as in `{person/mary: {name: Mary}}`"
            raise ValidationError(message)
        found, messages = [], {}
        for name, each in value.items():
            try:
                found.append(Reference.parse(name))
                _check_changed(each)
            except ValidationError as error:
                messages[name] = error.messages
            except ValueError:
                messages[name] = ["is not of the form type/id, as in person/mary"]
        if messages:
            raise ValidationError(messages)
        return tuple(found)


class Informs(fields.Field[dict[str, tuple[str, ...]]]):
    """Addresses, each with the templates of the messages that are sent there."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> dict[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            message = "must be addresses with templates, as in `{mary@x.example: welcome}`"
            raise ValidationError(message)
        found, messages = {}, {}
        for address, each in value.items():
            templates = each if isinstance(each, list) else [each]
            found[address] = tuple(templates)
            if not (address and templates and all(isinstance(t, str) and t for t in templates)):
                messages[address] = ["must be a template, or a list of them"]
        if messages:
            raise ValidationError(messages)
        return found


def _read_demand(value: Any) -> Demand:
    """Read what a value would have to be."""
    operator, said = "one_of", value
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in OPERATORS:
            known = ", ".join(f"`{each}`" for each in OPERATORS)
            raise ValidationError(f"must be a value, a list, or one of {known} with a value")
        operator, said = next(iter(value.items()))
    values = said if isinstance(said, list) else [said]
    if not values:
        raise ValidationError("is empty")
    read = tuple(None if each is None else _read_said_scalar(each) for each in values)
    return Demand(OPERATORS[operator], read)


def _read_sent(value: dict[str, Any]) -> Sent:
    """Read `{sent: code}`: the value of a field of a message."""
    field = value.get(_SENT)
    if len(value) == 1 and isinstance(field, str) and field:
        return Sent(field)
    raise ValidationError("must be a value, or `{sent: FIELD}` for a field of the last message")


def _check_changed(value: Any) -> None:
    """Check what an entity becomes; which values it can have, the domain knows."""
    if value == REMOVED:
        return
    if not isinstance(value, dict) or not value:
        raise ValidationError(f"must be attributes with values, or `{REMOVED}`")
    messages = {}
    for name, each in value.items():
        try:
            if each is not None:
                _read_said(each)
        except ValidationError as error:
            messages[name] = error.messages
    if messages:
        raise ValidationError(messages)


def _read_said(value: Any) -> Any:
    """Read a value that comes with a question; what it must be, the domain knows."""
    if not isinstance(value, list):
        return _read_said_scalar(value)
    found, messages = [], {}
    for number, item in enumerate(value):
        try:
            found.append(_read_said_scalar(item))
        except ValidationError as error:
            messages[number] = error.messages
    if messages:
        raise ValidationError(messages)
    return found


def _read_said_scalar(value: Any) -> str | int:
    if isinstance(value, str):
        return value
    if isinstance(value, Scalar) and value.kind == "bool" and value.text.lower() in _TRUTH:
        return _TRUTH[value.text.lower()]
    if isinstance(value, Scalar) and value.kind == "int":
        with suppress(ValueError):
            return int(value.text, 10)
    raise ValidationError(
        "must be text, a whole number, `true` or `false`, a time, or a list of those"
    )
