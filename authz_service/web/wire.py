"""JSON to requests and decisions to JSON: the shapes of AuthZEN Authorization API 1.0.

Members that are not known are ignored (section 5); null counts as absent. In a batch each item is
checked after the defaults have been filled in, whole object by whole object (section 7.1.1), and an
item that is not complete is answered in its place (section 7.2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from authz_service.decision.freshness import MIN_REVISION, know_no_revision
from authz_service.errors import Fault, Place, RequestError, RequestTooLargeError
from authz_service.policy.request import Said, build_request
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.decision.answer import Found
    from authz_service.errors import AuthzError
    from authz_service.polar.schema import Schema as Vocabulary
    from authz_service.policy.request import Request

# Refuses, by a `RevisionError`, a revision that the store has not reached.
Require = Callable[[int], None]

_MOST_FAULTS: Final = 10
_PARTS: Final = ("subject", "action", "resource", "context")


class Semantic(StrEnum):
    """When a batch stops (AuthZEN section 7.1.2)."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"


@dataclass(frozen=True)
class Search:
    """Who may do something, on what, or what somebody may do.

    Arguments:
        request: the question; what is looked for has no id, or no name, in it.
        limit: how many results are wanted; None where nothing was said.
        token: from the page before; empty for the first page.
    """

    request: Request
    limit: int | None
    token: str


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


class _TypeMember(_Member):
    """An entity that is looked for: whatever is said of it but its type is ignored."""

    type = _text()


class _PageMember(_Member):
    token = fields.String(load_default="", error_messages={"invalid": "must be a string"})
    limit = fields.Integer(
        load_default=None,
        strict=True,
        validate=validate.Range(min=0, error="must not be negative"),
        error_messages={"invalid": "must be a whole number"},
    )

    @pre_load
    def _refuse_others(self, data: Any, **_options: Any) -> Any:
        # marshmallow would take `true`, `"5"` and 5.0 for numbers
        if isinstance(data, dict) and type(data.get("limit", 0)) not in {int, NoneType}:
            raise ValidationError("must be a whole number", "limit")
        return data


def _page() -> fields.Nested:
    return fields.Nested(_PageMember, load_default=lambda: _PageMember().load({}))


class _SubjectSearch(_Member):
    subject = _member(_TypeMember)
    action = _member(_ActionMember)
    resource = _member(_EntityMember)
    context = _object()
    page = _page()


class _ResourceSearch(_Member):
    subject = _member(_EntityMember)
    action = _member(_ActionMember)
    resource = _member(_TypeMember)
    context = _object()
    page = _page()


class _ActionSearch(_Member):
    subject = _member(_EntityMember)
    resource = _member(_EntityMember)
    context = _object()
    page = _page()


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
_SEARCHES: Final = {
    "subject": _SubjectSearch(),
    "resource": _ResourceSearch(),
    "action": _ActionSearch(),
}


def read_evaluation(
    data: dict[str, Any], vocabulary: Vocabulary, require: Require = know_no_revision
) -> Request:
    """Read a single question.

    Arguments:
        data: the body.
        vocabulary: the domain's.
        require: refuses a revision that the state has not reached from which it will be answered.

    Raises:
        RequestError: with every member that is missing or of a wrong type.
        RevisionError: when it may not be answered from a state as old as this.
    """
    try:
        loaded = _EVALUATION.load(data)
    except ValidationError as error:
        raise RequestError(_faults(error)) from None
    return _build(loaded, vocabulary, require)


def read_search(
    searched: str,
    data: dict[str, Any],
    vocabulary: Vocabulary,
    require: Require = know_no_revision,
) -> Search:
    """Read a search.

    Arguments:
        searched: what is looked for: `subject`, `resource` or `action`.
        data: the body.
        vocabulary: the domain's.
        require: as above.

    Raises:
        RequestError: with every member that is missing or of a wrong type.
        RevisionError: as above.
    """
    try:
        loaded = _SEARCHES[searched].load(data)
    except ValidationError as error:
        raise RequestError(_faults(error)) from None
    page = loaded["page"]
    return Search(_build(loaded, vocabulary, require), page["limit"], page["token"])


def read_batch(
    data: dict[str, Any],
    vocabulary: Vocabulary,
    max_items: int,
    require: Require = know_no_revision,
) -> Batch | None:
    """Read a batch; None when it has no items, so that it is a single question.

    An item that names a revision which is not reached is one that is not complete.

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
        tuple(_read_item(data, item, vocabulary, require) for item in items),
        options["evaluations_semantic"],
        options["reasons"],
    )


def write_found(found: Found, written: Iterable[dict[str, str]]) -> dict[str, Any]:
    """Write what a search found, with the page first (AuthZEN section 8.2).

    Arguments:
        found: the page.
        written: its results, each as an object.
    """
    results = list(written)
    page = {"next_token": found.next_token, "count": len(results)}
    return {"page": page, "results": results}


def write_item_error(error: RequestError) -> dict[str, Any]:
    """Write what is wrong with an item of a batch, which counts as a denial."""
    return {"decision": False, "context": write_error(error)}


def write_error(error: AuthzError) -> dict[str, Any]:
    """Write an error in the one shape that all errors have."""
    first = error.faults[0]
    message = "; ".join(fault.message for fault in error.faults[:_MOST_FAULTS])
    if len(error.faults) > _MOST_FAULTS:
        message += f"; and {len(error.faults) - _MOST_FAULTS} more"
    written = write_fault(Fault(first.where, first.code, message))
    written["error"] |= error.details
    return written


def write_fault(fault: Fault) -> dict[str, Any]:
    """Write a single fault in the one shape that all errors have."""
    return {
        "error": {"code": fault.code, "message": fault.message, "where": str(fault.where)},
    }


def _build(loaded: dict[str, Any], vocabulary: Vocabulary, require: Require) -> Request:
    """Build a request of members that were checked; what is looked for lacks some."""
    revision = loaded["context"].get(MIN_REVISION)
    if revision is not None:
        if type(revision) is not int or revision < 0:
            where = f"context.{MIN_REVISION}"
            message = f"`{where}` must be a whole number of at least 0"
            raise RequestError.at(where, "wrong_type", message)
        require(revision)
    subject, resource = loaded["subject"], loaded["resource"]
    action = loaded.get("action", {"name": "", "properties": {}})
    return build_request(
        vocabulary,
        Reference(subject["type"], subject.get("id", "")),
        action["name"],
        Reference(resource["type"], resource.get("id", "")),
        Said(
            context=loaded["context"],
            subject=subject.get("properties", {}),
            action=action["properties"],
            resource=resource.get("properties", {}),
        ),
    )


def _read_item(
    defaults: dict[str, Any], item: dict[str, Any], vocabulary: Vocabulary, require: Require
) -> Request | RequestError:
    whole = {}
    for part in _PARTS:
        own = item.get(part)
        whole[part] = defaults.get(part) if own is None else own
    try:
        return read_evaluation(whole, vocabulary, require)
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
