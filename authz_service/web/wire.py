"""JSON to requests and decisions to JSON: the shapes of AuthZEN Authorization API 1.0.

Members that are not known are ignored (section 5); null counts as absent. In a batch each item is
checked after the defaults have been filled in, whole object by whole object (section 7.1.1), and an
item that is not complete is answered in its place (section 7.2.1).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load

from authz_service.errors import Fault, Place, RequestError, RequestTooLargeError, quote
from authz_service.policy.request import Said, build_request
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from authz_service.decision.answer import Decision
    from authz_service.errors import AuthzError
    from authz_service.polar.schema import Schema as Vocabulary
    from authz_service.policy.request import Request

_DEEPEST: Final = 64
_LONGEST_INTEGER: Final = 309  # digits of the largest double
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_MOST_FAULTS: Final = 10
_PARTS: Final = ("subject", "action", "resource", "context")


class Semantic(StrEnum):
    """When a batch stops (AuthZEN section 7.1.2)."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"


@dataclass(frozen=True)
class Batch:
    """Several questions in one request.

    Arguments:
        items: each a request, or what is wrong with it.
        semantic: when to stop.
        with_reasons: whether a denial says why.
    """

    items: tuple[Request | RequestError, ...]
    semantic: Semantic
    with_reasons: bool


class _Member(Schema):
    """An object of which we read some members; null counts as absent."""

    class Meta:
        """What we do not know is ignored."""

        unknown = EXCLUDE

    error_messages: dict[str, str] = {"type": "must be an object"}  # noqa: RUF012  # marshmallow's

    @pre_load
    def _drop_nulls(self, data: Any, **_options: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


def _text() -> fields.String:
    return fields.String(
        required=True, error_messages={"required": "is missing", "invalid": "must be a string"}
    )


def _object() -> fields.Dict:
    return fields.Dict(load_default=dict, error_messages={"invalid": "must be an object"})


def _member(schema: type[_Member]) -> fields.Nested:
    return fields.Nested(schema, required=True, error_messages={"required": "is missing"})


class _EntityMember(_Member):
    type = _text()
    id = _text()
    properties = _object()


class _ActionMember(_Member):
    name = _text()
    properties = _object()


class _Evaluation(_Member):
    subject = _member(_EntityMember)
    action = _member(_ActionMember)
    resource = _member(_EntityMember)
    context = _object()


class _Options(_Member):
    evaluations_semantic = fields.Enum(
        Semantic,
        by_value=True,
        load_default=Semantic.EXECUTE_ALL,
        error_messages={"unknown": "must be one of " + ", ".join(Semantic)},
    )
    reasons = fields.Boolean(
        truthy={True},
        falsy={False},
        load_default=False,
        error_messages={"invalid": "must be true or false"},
    )

    @pre_load
    def _refuse_numbers(self, data: Any, **_options: Any) -> Any:
        # to Python 1 is True, so marshmallow would take it
        if isinstance(data, dict) and not isinstance(data.get("reasons", False), bool | None):
            raise ValidationError("must be true or false", "reasons")
        return data


class _Batch(_Member):
    evaluations = fields.List(
        fields.Dict(error_messages=dict.fromkeys(("invalid", "null"), "must be an object")),
        load_default=list,
        error_messages={"invalid": "must be an array"},
    )
    options = fields.Nested(_Options, load_default=lambda: _Options().load({}))


_EVALUATION: Final = _Evaluation()
_BATCH: Final = _Batch()


def parse_json(body: bytes) -> dict[str, Any]:
    """Read a request body, strictly: I-JSON (RFC 7493), an object, of bounded depth.

    Raises:
        RequestError: when it is anything else.
    """
    try:
        text = body.decode("utf-8")
        _check_depth(text)
        data = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
        if _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        message = "the body is not Unicode text in UTF-8"
        raise RequestError.at("body", "invalid_json", message) from None
    except json.JSONDecodeError as error:
        place = Place("body", error.lineno, error.colno)
        message = f"the body is not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise RequestError.at(place, "invalid_json", message) from None
    except ValueError as error:
        raise RequestError.at("body", "invalid_json", f"the body {error}") from None
    if not isinstance(data, dict):
        raise RequestError.at("body", "invalid_request", "the body must be a JSON object")
    return data


def read_evaluation(data: dict[str, Any], vocabulary: Vocabulary) -> Request:
    """Read a single question.

    Raises:
        RequestError: with every member that is missing or of a wrong type.
    """
    try:
        loaded = _EVALUATION.load(data)
    except ValidationError as error:
        raise RequestError(_faults(error)) from None
    subject, action, resource = loaded["subject"], loaded["action"], loaded["resource"]
    return build_request(
        vocabulary,
        Reference(subject["type"], subject["id"]),
        action["name"],
        Reference(resource["type"], resource["id"]),
        Said(
            context=loaded["context"],
            subject=subject["properties"],
            action=action["properties"],
            resource=resource["properties"],
        ),
    )


def read_batch(data: dict[str, Any], vocabulary: Vocabulary, max_items: int) -> Batch | None:
    """Read a batch; None when it has no items, so that it is a single question.

    Raises:
        RequestError: when the batch as a whole is malformed.
        RequestTooLargeError: when it has more items than `max_items`.
    """
    given = data.get("evaluations")
    if isinstance(given, list) and len(given) > max_items:
        message = f"a batch has at most {max_items} items, this one has {len(given)}; split it"
        raise RequestTooLargeError.at("evaluations", "batch_too_large", message)
    try:
        loaded = _BATCH.load(data)
    except ValidationError as error:
        raise RequestError(_faults(error)) from None
    items, options = loaded["evaluations"], loaded["options"]
    if not items:
        return None
    return Batch(
        tuple(_read_item(data, item, vocabulary) for item in items),
        options["evaluations_semantic"],
        options["reasons"],
    )


def write_decision(decision: Decision, *, with_reasons: bool) -> dict[str, Any]:
    """Write a decision; an allow needs no reasons."""
    if decision.allowed or not with_reasons:
        return {"decision": decision.allowed}
    reasons = [{"code": each.code, "message": each.message} for each in decision.reasons]
    return {"decision": False, "context": {"reasons": reasons}}


def write_item_error(error: RequestError) -> dict[str, Any]:
    """Write what is wrong with an item of a batch, which counts as a denial."""
    return {"decision": False, "context": write_error(error)}


def write_error(error: AuthzError) -> dict[str, Any]:
    """Write an error in the one shape that all errors have."""
    first = error.faults[0]
    message = "; ".join(fault.message for fault in error.faults[:_MOST_FAULTS])
    if len(error.faults) > _MOST_FAULTS:
        message += f"; and {len(error.faults) - _MOST_FAULTS} more"
    return write_fault(Fault(first.where, first.code, message))


def write_fault(fault: Fault) -> dict[str, Any]:
    """Write a single fault in the one shape that all errors have."""
    return {
        "error": {"code": fault.code, "message": fault.message, "where": str(fault.where)},
    }


def _read_item(
    defaults: dict[str, Any], item: dict[str, Any], vocabulary: Vocabulary
) -> Request | RequestError:
    whole = {}
    for part in _PARTS:
        own = item.get(part)
        whole[part] = defaults.get(part) if own is None else own
    try:
        return read_evaluation(whole, vocabulary)
    except RequestError as error:
        return error


def _faults(error: ValidationError) -> list[Fault]:
    return list(_flatten(error.normalized_messages(), ()))


def _flatten(messages: Any, path: tuple[str, ...]) -> list[Fault]:
    if isinstance(messages, dict):
        return [
            fault
            for step, below in messages.items()
            # `_schema` is marshmallow's name for the object itself
            for fault in _flatten(below, path if step == "_schema" else (*path, str(step)))
        ]
    where = ".".join(path)
    return [Fault(Place(where), "invalid_request", f"`{where}` {said}") for said in messages]


def _check_depth(text: str) -> None:
    """Refuse deep nesting before any parser recurses into it."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            raise ValueError(f"is nested deeper than {_DEEPEST} levels")


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"names the member {quote(twice)} twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"holds {name}, which is not JSON")


def _parse_int(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError("holds a number that is too large")
    return int(text)


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("holds a number that is too large")
    return number
