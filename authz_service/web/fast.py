"""The usual body, read at once by a compiled decoder; whatever is unusual is left to `wire`.

A body is usual when it has no members but those that mean something, each once and of its type, and
no escapes. Nothing in it is to be refused then, so all refusals are those of `wire`.

The decoder passes over members that it does not know, and takes the last of several of one name.
That neither has happened shows in the colons: one follows the name of each member, and all others
stand in texts. When the body has as many as there are members and colons in what was decoded, then
all of it was decoded. An escape could write a colon without one, hence none may be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder

from authz_service.decision.freshness import MIN_REVISION
from authz_service.errors import RequestError
from authz_service.policy.request import Request, read_given
from authz_service.store.entity import Reference
from authz_service.web.wire import Batch, Semantic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.polar.schema import Schema as Vocabulary

# Larger integers may be too large for a double, and so be refused.
_Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Value = str | bool | _Integer | float | None
_Said = dict[str, _Value | list[_Value]]


class _Action(Struct, gc=False):
    name: str
    properties: _Said | None = None


class _Evaluation(Struct, gc=False):
    subject: Reference
    action: _Action
    resource: Reference
    context: _Said | None = None


class _Item(Struct, gc=False):
    subject: Reference | None = None
    action: _Action | None = None
    resource: Reference | None = None
    context: _Said | None = None


class _Options(Struct):
    evaluations_semantic: Semantic | None = None
    reasons: bool | None = None


class _Batch(_Item, kw_only=True):
    evaluations: list[_Item]
    options: _Options | None = None


_EVALUATION: Final = Decoder(_Evaluation)
_BATCH: Final = Decoder(_Batch)
# How it shows that a body cannot be read, or not as what it should be.
_UNUSUAL: Final = (DecodeError, UnicodeDecodeError, RecursionError, RequestError)


def find_evaluation(body: bytes, vocabulary: Vocabulary) -> Request | None:
    """Read a single question; None when it is not a usual one, or must be refused."""
    try:
        found = _EVALUATION.decode(body)
        if not _is_whole(body, _count_members(found), found):
            return None
        given = read_given(vocabulary, _read_context(found), found.action.properties or {})
    except _UNUSUAL:
        return None
    return Request(found.subject, found.action.name, found.resource, given)


def find_batch(body: bytes, vocabulary: Vocabulary, max_items: int) -> Batch | None:
    """Read a batch; None when it is not a usual one, has no items, or must be refused."""
    try:
        found = _BATCH.decode(body)
        items, options = found.evaluations, found.options or _Options()
        if not items or len(items) > max_items:
            return None
        members = sum(map(_count_members, items), _count_batch_members(found))
        if not _is_whole(body, members, found, *items):
            return None
        requests = tuple(_build_items(found, vocabulary))
    except _UNUSUAL:
        return None
    semantic = options.evaluations_semantic or Semantic.EXECUTE_ALL
    return Batch(requests, semantic, with_reasons=bool(options.reasons))


def _build_items(batch: _Batch, vocabulary: Vocabulary) -> Iterator[Request]:
    """Fill in what items inherit, whole object by whole object.

    Raises:
        RequestError: when an item is not complete, or a value is of a wrong type.
    """
    inherited = read_given(vocabulary, _read_context(batch), {})
    for item in batch.evaluations:
        subject = item.subject or batch.subject
        action = item.action or batch.action
        resource = item.resource or batch.resource
        if subject is None or action is None or resource is None:
            raise RequestError.at("evaluations", "invalid_request", "an item is not complete")
        given = inherited
        if item.context is not None or action.properties is not None:
            context = _read_context(batch if item.context is None else item)
            given = read_given(vocabulary, context, action.properties or {})
        yield Request(subject, action.name, resource, given)


def _read_context(item: _Evaluation | _Item) -> _Said:
    """Find what was said with a question.

    Raises:
        RequestError: when it names a revision, which the schemas hold against the store's.
    """
    context = item.context or {}
    if MIN_REVISION in context:
        raise RequestError.at("context", "invalid_request", "a revision is named")
    return context


def _is_whole(body: bytes, members: int, *decoded: _Evaluation | _Item) -> bool:
    """Tell whether all of a body was decoded: each of its colons belongs to something."""
    if b"\\" in body:
        return False
    colons = body.count(b":")
    if colons == members:
        return True
    return colons == members + sum(text.count(":") for each in decoded for text in _texts(each))


def _count_members(item: _Evaluation | _Item) -> int:
    """Count the members of a question, those of its objects included."""
    count = 0
    if item.subject is not None:
        count += 3
    if item.resource is not None:
        count += 3
    action, context = item.action, item.context
    if action is not None:
        count += 2
        if action.properties is not None:
            count += 1 + len(action.properties)
    if context is not None:
        count += 1 + len(context)
    return count


def _count_batch_members(batch: _Batch) -> int:
    """Count what a batch has besides its items."""
    count = 1 + _count_members(batch)
    if batch.options is not None:
        options = batch.options.evaluations_semantic, batch.options.reasons
        count += 1 + len(options) - options.count(None)
    return count


def _texts(item: _Evaluation | _Item) -> Iterator[str]:
    """Go through all texts of a question but the names of the members that every question has."""
    for each in (item.subject, item.resource):
        if each is not None:
            yield from (each.type, each.id)
    said = [item.context]
    if item.action is not None:
        yield item.action.name
        said.append(item.action.properties)
    for values in said:
        for name, value in (values or {}).items():
            yield name
            yield from (each for each in _listed(value) if isinstance(each, str))


def _listed(value: _Value | list[_Value]) -> list[_Value]:
    return value if isinstance(value, list) else [value]
