"""Scenario files: what testers write, read into questions with their expected answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from authz_service.document import (
    find_files,
    load_document,
    locate,
    locate_key,
    parse_time,
    to_plain,
)
from authz_service.errors import DocumentError, Fault, ScenarioError, suggest
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.errors import Place

_UNKNOWN: Final = "unknown"
_MISSING: Final = "missing"


@dataclass(frozen=True)
class Expectation:
    """What must come of one action.

    Arguments:
        place: where the file says so.
        action: the action's name.
        allowed: whether the subject must be allowed to.
        reasons: codes that must be among those of the denial.
    """

    place: Place
    action: str
    allowed: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inquiry:
    """One question of a scenario: an expectation about one subject, resource and channel."""

    expected: Expectation
    subject: Reference
    resource: Reference
    channel: str | None

    def __str__(self) -> str:
        """Write the question in one line."""
        via = f" via {self.channel}" if self.channel is not None else ""
        return f"{self.subject} {self.expected.action} {self.resource}{via}"


@dataclass(frozen=True)
class Scenario:
    """One scenario file.

    Arguments:
        path: the file.
        title: what it shows, as a sentence.
        source: the document that it comes from; empty when it names none.
        fixture: which entities there are, as the name of a fixture file without its ending.
        at: what time it is; None for the real time.
        inquiries: all its questions, in the order of the file.
    """

    path: Path
    title: str
    source: str
    fixture: str
    at: datetime | None
    inquiries: tuple[Inquiry, ...]


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


class _CaseSchema(_Strict):
    who = _many(_Entity(), required=True)
    on = _many(_Entity(), required=True)
    via = _many(_Word())
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


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: with every fault of the file.
    """
    try:
        document = load_document(path)
    except DocumentError as error:
        raise ScenarioError(error.faults) from None
    if document is None:
        raise ScenarioError.at(str(path), "empty_file", "holds no scenario")
    try:
        loaded = _ScenarioSchema().load(to_plain(document))
    except ValidationError as error:
        raise ScenarioError(_faults(document, error.normalized_messages())) from None
    inquiries = []
    faults: list[Fault] = []
    for number, case in enumerate(loaded["cases"]):
        expected = tuple(_expectations(document, number, case))
        faults += _contradictions(locate(document, ("cases", number)), expected)
        inquiries += [
            Inquiry(*parts)
            for parts in itertools.product(
                expected, case["who"], case["on"], case.get("via", (None,))
            )
        ]
    if faults:
        raise ScenarioError(faults)
    return Scenario(
        path=path,
        title=loaded["scenario"],
        source=loaded["source"],
        fixture=loaded["fixture"],
        at=loaded["at"],
        inquiries=tuple(inquiries),
    )


def find_scenario_files(paths: Iterable[Path]) -> list[Path]:
    """Find the scenario files that the paths stand for: a folder is all `.yaml` files below it.

    Raises:
        ScenarioError: for a path that does not exist, and for a folder without such a file.
    """
    try:
        return find_files(paths, below=True)
    except DocumentError as error:
        raise ScenarioError(error.faults) from None


def _expectations(document: Value, number: int, case: Mapping[str, Any]) -> Iterator[Expectation]:
    for position, action in enumerate(case.get("can", ())):
        place = locate(document, ("cases", number, "can", position))
        yield Expectation(place, action, allowed=True)
    for position, (action, reasons) in enumerate(case.get("cannot", ())):
        place = locate(document, ("cases", number, "cannot", position))
        yield Expectation(place, action, allowed=False, reasons=reasons)


def _contradictions(place: Place, expected: tuple[Expectation, ...]) -> Iterator[Fault]:
    if not expected:
        message = "this case asserts nothing; add `can:` or `cannot:`"
        yield Fault(place, "asserts_nothing", message)
    first: dict[str, Expectation] = {}
    for each in expected:
        other = first.setdefault(each.action, each)
        if other is not each:
            message = f"`{each.action}` is in line {other.place.line} already; a case names it once"
            yield Fault(each.place, "action_twice", message)


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
        schema = _CaseSchema if "cases" in path[:-1] else _ScenarioSchema
        known = schema._declared_fields  # noqa: SLF001  # marshmallow has no public name for it
        place = locate_key(document, path)
        return Fault(place, "unknown_key", f"there is no key `{name}`{suggest(name, known)}")
    if message == _MISSING:
        return Fault(place, "missing_key", f"lacks `{name}:`")
    return Fault(place, "invalid_value", f"`{name}` {message}")
