"""The entities over HTTP: one by one with their revisions as ETags, or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, g, jsonify, request
from werkzeug.routing import BaseConverter

from authz_service.errors import (
    ConflictError,
    Fault,
    NotFoundError,
    Place,
    PreconditionError,
    RequestError,
    quote,
    suggest,
)
from authz_service.store.entity import Reference
from authz_service.store.importing import import_entities
from authz_service.store.incoming import EntityReader
from authz_service.store.integrity import Integrity
from authz_service.store.referrers import find_referrers
from authz_service.store.writer import Cause, write, write_values
from authz_service.strict_json import parse_json
from authz_service.web.body import put_aside, read_body, read_reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint
    from werkzeug.datastructures import ETags

    from authz_service.assembly import Service
    from authz_service.store.entity import Row

ENTITIES: Final = "/v1/entities"

_MOST_SHOWN: Final = 20


class EntityIdConverter(BaseConverter):
    """An id in a path: whatever is left of it, slashes included."""

    regex = ".+"
    part_isolating = False


def add_entities(api: Blueprint, service: Service) -> None:
    """Add the endpoints of the entities; the application must have the converter `entity_id`."""
    one = f"{ENTITIES}/<kind>/<entity_id:entity_id>"
    endpoints = _Endpoints(service)

    # who may: the scope `entities:read`
    @api.get(one)
    def get_entity(kind: str, entity_id: str) -> Response:
        return endpoints.get(_find_reference(kind, entity_id))

    # who may: the scope `entities:write`, here and below
    @api.put(one)
    def put_entity(kind: str, entity_id: str) -> Response:
        return endpoints.put(_find_reference(kind, entity_id))

    @api.delete(one)
    def delete_entity(kind: str, entity_id: str) -> Response:
        return endpoints.delete(_find_reference(kind, entity_id))

    @api.post(ENTITIES)
    def post_entities() -> Response:
        return endpoints.post()


class _Endpoints:
    """What is done with entities."""

    def __init__(self, service: Service) -> None:
        self._store = service.store
        self._domain = service.domain
        self._clock: Callable[..., Any] = service.clock
        self._max_import = service.settings.max_import
        self._stored = [name for name, each in service.domain.schema.types.items() if each.stored]

    def get(self, reference: Reference) -> Response:
        """Answer with an entity, or that it is the one that the client has."""
        self._check_type(reference)
        with self._store.snapshot():
            row = self._store.find_whole(reference)
        if row is None:
            raise _is_missing(reference)
        response = _answer(row)
        response.make_conditional(request)
        return response

    def put(self, reference: Reference) -> Response:
        """Make an entity, or put it in the place of what is there."""
        self._check_type(reference)
        row = self._read(reference)
        with write(self._store, _read_cause(), self._clock()) as writer:
            known = self._store.find_whole(reference)
            _check_conditions(reference, known)
            self._check_integrity(row)
            is_new = writer.put(row)
            written = self._store.find_whole(reference)
        response = _answer(written or row)
        response.status_code = 201 if is_new else 200
        return response

    def delete(self, reference: Reference) -> Response:
        """Remove an entity to which no other refers."""
        self._check_type(reference)
        with write(self._store, _read_cause(), self._clock()) as writer:
            known = self._store.find_whole(reference)
            _check_conditions(reference, known)
            if known is None:
                raise _is_missing(reference)
            self._refuse_if_referred_to(reference)
            writer.delete(reference)
        return Response(status=204)

    def post(self) -> Response:
        """Write many entities, or none."""
        cause = _read_cause()
        with (
            put_aside(self._max_import) as file,
            write(self._store, cause, self._clock()) as writer,
        ):
            count = import_entities(file, "body", writer, self._domain)
            revision = writer.revision
        return jsonify(written=count, revision=revision)

    def _check_type(self, reference: Reference) -> None:
        if reference.type not in self._stored:
            nearest = suggest(reference.type, self._stored)
            message = f"there is no entity type {quote(reference.type)}{nearest}"
            raise NotFoundError.at("type", "unknown_type", message)

    def _read(self, reference: Reference) -> Row:
        body = parse_json(read_body())
        faults = [
            Fault(Place(name), "wrong_entity", f"`{name}` is not the one of the URL; leave it out")
            for name, wanted in (("type", reference.type), ("id", reference.id))
            if body.get(name, wanted) != wanted
        ]
        attributes = body.get("attributes")
        if not isinstance(attributes, dict):
            message = "`attributes` must be an object of all attributes that the entity shall have"
            faults.append(Fault(Place("attributes"), "invalid_request", message))
            raise RequestError(faults)
        reader = EntityReader(self._domain.schema)
        row = reader.read(reference, attributes, "id", "attributes.")
        if row is None or faults:
            raise RequestError([*faults, *reader.faults])
        return row

    def _check_integrity(self, row: Row) -> None:
        """Refuse what no database could hold, or would not say in these words."""
        integrity = Integrity(self._domain, self._store.find)
        faults = [
            Fault(
                Place(f"attributes.{name}"),
                "dangling_reference",
                f"there is no {target.type} {quote(target.id)}; put that one first",
            )
            for name, target in integrity.find_dangling(row)
        ]
        right = None if faults else integrity.find_right_id(row)
        if right is not None:
            kind = row.reference.type
            message = f"the id of this {kind} must be {quote(right)}, after what it holds"
            faults.append(Fault(Place("id"), "wrong_id", message))
        if faults:
            raise ConflictError(faults)

    def _refuse_if_referred_to(self, reference: Reference) -> None:
        found, count = find_referrers(self._store, self._domain, reference, _MOST_SHOWN)
        if not count:
            return
        shown = ", ".join(quote(str(each)) for each in found)
        more = f" and {count - len(found)} more" if count > len(found) else ""
        message = f"others refer to it: {shown}{more}; delete or change those first"
        fault = Fault(Place(str(reference)), "referred_to", message)
        details = {
            "referred_to_by": [{"type": each.type, "id": each.id} for each in found],
            "count": count,
        }
        raise ConflictError([fault], details)


def _find_reference(kind: str, entity_id: str) -> Reference:
    """Find which entity a path means.

    werkzeug writes a sign of its own in the place of bytes that are no UTF-8; what came with such
    bytes would mean an entity that has that sign in its id.
    """
    try:
        request.environ["PATH_INFO"].encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise RequestError.at(
            "id", "not_text", "the path is not UTF-8; write it as UTF-8"
        ) from None
    return Reference(kind, entity_id)


def _read_cause() -> Cause:
    return Cause(client=g.get("client", ""), reason=read_reason())


def _check_conditions(reference: Reference, known: Row | None) -> None:
    """Hold a write to what the client says about the state that it knows.

    Raises:
        PreconditionError: when it does not hold.
        RequestError: when a condition cannot be read, so that nobody can say whether it holds.
    """
    tag = None if known is None else str(known.revision)
    now = "there is none" if tag is None else f"its revision is {tag}"
    for header, tags, is_wanted in (
        ("If-Match", request.if_match, True),
        ("If-None-Match", request.if_none_match, False),
    ):
        if header not in request.headers:
            continue
        if not tags:
            message = f'`{header}` must be `*`, or revisions in quotes, as in `"7"`'
            raise RequestError.at(header, "invalid_condition", message)
        if _matches(tags, tag) is not is_wanted:
            message = f"`{header}` does not hold for {quote(str(reference))}: {now}"
            raise PreconditionError.at(header, "precondition_failed", message)


def _matches(tags: ETags, tag: str | None) -> bool:
    return tag is not None and (tags.star_tag or tags.contains(tag))


def _is_missing(reference: Reference) -> NotFoundError:
    message = f"there is no {quote(str(reference))}"
    return NotFoundError.at("id", "unknown_entity", message)


def _answer(row: Row) -> Response:
    response = jsonify(
        type=row.reference.type,
        id=row.reference.id,
        attributes=write_values(row.values),
        revision=row.revision,
    )
    response.set_etag(str(row.revision))
    return response
