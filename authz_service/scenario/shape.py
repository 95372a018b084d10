"""The shape of a scenario file: what may stand where, and what is wrong with what does not fit."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from authz_service.document import Scalar, locate, locate_key, parse_time, to_plain
from authz_service.errors import Fault, ScenarioError, suggest
from authz_service.policy.said import CHANNEL, PARTS
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.document import Value

_UNKNOWN: Final = "unknown"
_MISSING: Final = "missing"
_TRUTH: Final = {"true": True, "false": False}


class _OneOrMany(fields.List[Any]):
    """A list, or a single value that stands for a list of one."""

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> list[Any]:
        return super()._deserialize(value if isinstance(value, list) else [value], *rest, **options)


class _Word(fields.String):
    """Text that is not empty."""

    default_error_messages: dict[str, Any] = {  # noqa: RUF012  # as marshmallow declares it
        "required": _MISSING,
        "null": "holds nothing",
        "invalid": "must be text; write it in quotes",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Length(min=1, error="is empty"), **options)


class _Entity(fields.Field[Reference]):
    """An entity, as `type/id`."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> Reference:
        if not isinstance(value, str):
            raise ValidationError("must be an entity such as `person/mary`")
        try:
            return Reference.parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class _Time(fields.Field[datetime]):
    """A time with its zone."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> datetime:
        try:
            return parse_time(value if isinstance(value, str) else "")
        except ValueError:
            message = "must be a time with its zone, such as 2026-01-05T09:00:00Z"
            raise ValidationError(message) from None


class _Refusal(fields.Field[tuple[str, tuple[str, ...]]]):
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


class _Names(fields.Field[dict[str, Any]]):
    """What is said of a part of the question: names with values, and not those that are refused.

    Arguments:
        refused: by name, what to write instead.
    """

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def __init__(self, refused: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._refused = refused or {}

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("must be names with values, as in `{soft: true}`")
        if not value:
            raise ValidationError("is empty")
        found, messages = {}, {}
        for name, each in value.items():
            try:
                found[name] = _read_said(each)
            except ValidationError as error:
                messages[name] = error.messages
            if name in self._refused:
                messages[name] = [self._refused[name]]
        if messages:
            raise ValidationError(messages)
        return found


class _Strict(Schema):
    """A mapping in which every key is known."""

    error_messages: dict[str, str] = {  # noqa: RUF012  # as marshmallow declares it
        "unknown": _UNKNOWN,
        "type": "must be keys with values",
    }


def _many(inner: fields.Field[Any], *, required: bool = False) -> _OneOrMany:
    return _OneOrMany(
        inner,
        required=required,
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"required": _MISSING, "null": "holds nothing"},
    )


class _WithSchema(_Strict):
    subject = _Names()
    action = _Names()
    resource = _Names()
    context = _Names({CHANNEL: "has a key of its own; say it with `via:`"})


class _CaseSchema(_Strict):
    who = _many(_Entity(), required=True)
    on = _many(_Entity(), required=True)
    via = _many(_Word())
    said = fields.Nested(
        _WithSchema,
        data_key="with",
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"null": "holds nothing"},
    )
    can = _many(_Word())
    cannot = _many(_Refusal())


class _ScenarioSchema(_Strict):
    scenario = _Word(required=True)
    source = _Word(load_default="")
    fixture = _Word(required=True)
    at = _Time(load_default=None, allow_none=False, error_messages={"null": "holds nothing"})
    cases = fields.List(
        fields.Nested(_CaseSchema, error_messages={"null": "holds nothing"}),
        required=True,
        validate=validate.Length(min=1, error="asks nothing; add a case"),
        error_messages={
            "required": _MISSING,
            "null": "asks nothing; add a case",
            "invalid": "must be a list of cases, each with `who:`, `on:` and what they can",
        },
    )


def load_shape(document: Value) -> dict[str, Any]:
    """Read a scenario file's values, each key with what it stands for.

    Raises:
        ScenarioError: with everything that does not fit.
    """
    try:
        return dict(_ScenarioSchema().load(to_plain(document)))
    except ValidationError as error:
        raise ScenarioError(_faults(document, error.normalized_messages())) from None


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


def _faults(document: Value, messages: Any, path: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    """Turn marshmallow's nested messages into faults with places."""
    if isinstance(messages, dict):
        for step, below in messages.items():
            # `_schema` is marshmallow's name for the mapping itself
            yield from _faults(document, below, path if step == "_schema" else (*path, step))
        return
    for message in messages:
        yield _fault(document, message, path)


def _fault(document: Value, message: str, path: tuple[str | int, ...]) -> Fault:
    place = locate(document, path)
    name = next((step for step in reversed(path) if isinstance(step, str)), "the file")
    if message == _UNKNOWN:
        known = _find_known(path)
        place = locate_key(document, path)
        return Fault(place, "unknown_key", f"there is no key `{name}`{suggest(name, known)}")
    if message == _MISSING:
        return Fault(place, "missing_key", f"lacks `{name}:`")
    return Fault(place, "invalid_value", f"`{name}` {message}")


def _find_known(path: tuple[str | int, ...]) -> list[str]:
    """Find the keys that there are where a path ends."""
    if "with" in path[:-1]:
        return list(PARTS)
    schema = _CaseSchema if "cases" in path[:-1] else _ScenarioSchema
    declared = schema._declared_fields.items()  # noqa: SLF001  # marshmallow has no public name
    return [each.data_key or name for name, each in declared]
