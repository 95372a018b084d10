"""The endpoints: AuthZEN's evaluation, evaluations and metadata, and our health."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from authz_service.errors import AuthzError, RequestError
from authz_service.web import wire
from authz_service.web.strict_json import parse_json
from authz_service.web.wire import Semantic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask, Response

    from authz_service.assembly import Service
    from authz_service.decision.answer import Found
    from authz_service.decision.decider import Decider
    from authz_service.web.wire import Batch

WELL_KNOWN = "/.well-known/authzen-configuration"
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH_SUBJECT = "/access/v1/search/subject"
SEARCH_RESOURCE = "/access/v1/search/resource"
SEARCH_ACTION = "/access/v1/search/action"

# The answer after which a batch ends (AuthZEN section 7.1.2).
_STOP_AT = {
    Semantic.EXECUTE_ALL: None,
    Semantic.DENY_ON_FIRST_DENY: False,
    Semantic.PERMIT_ON_FIRST_PERMIT: True,
}


def register_api(app: Flask, service: Service) -> None:
    """Add the endpoints to the application, below the path of the public URL as well.

    A proxy may pass that path on or strip it; the metadata is found where AuthZEN puts it (the
    path after the well-known part, section 9.2) and where some clients look (before it).
    """
    app.register_blueprint(_build_blueprint(service))
    path = urlsplit(service.settings.base_url).path
    if path:
        app.register_blueprint(_build_blueprint(service), name="tenant", url_prefix=path)
        app.add_url_rule(WELL_KNOWN + path, view_func=app.view_functions["tenant.metadata"])


def _build_blueprint(service: Service) -> Blueprint:
    decider, settings = service.decider, service.settings
    api = Blueprint("api", __name__)
    _add_searches(api, decider)

    @api.post(EVALUATION)
    def evaluation() -> Response:
        data = parse_json(_read_body())
        return _decide_one(decider, data)

    @api.post(EVALUATIONS)
    def evaluations() -> Response:
        data = parse_json(_read_body())
        batch = wire.read_batch(data, decider.schema, settings.max_batch)
        if batch is None:
            return _decide_one(decider, data)
        return _answer(decider, {"evaluations": list(_decide_many(decider, batch))})

    @api.get(WELL_KNOWN)
    def metadata() -> Response:
        base = settings.base_url
        response = jsonify(
            policy_decision_point=base,
            access_evaluation_endpoint=base + EVALUATION,
            access_evaluations_endpoint=base + EVALUATIONS,
            search_subject_endpoint=base + SEARCH_SUBJECT,
            search_resource_endpoint=base + SEARCH_RESOURCE,
            search_action_endpoint=base + SEARCH_ACTION,
        )
        response.cache_control.max_age = 3600
        return response

    @api.get("/health")
    def health() -> Response:
        problems = _find_problems(service)
        state: dict[str, Any] = {"status": "degraded" if problems else "ok"}
        state |= {"engine": decider.engine_name, "policy_digest": decider.policy_digest}
        if not service.has_reference:
            state["reference"] = None
        if service.sampled:
            state["reference"] = dataclasses.asdict(service.sampled.tally())
        if problems:
            state["problems"] = problems
        response = _answer(decider, state)
        response.status_code = 503 if problems else 200
        response.cache_control.no_store = True
        return response

    return api


def _add_searches(api: Blueprint, decider: Decider) -> None:
    @api.post(SEARCH_SUBJECT)
    def search_subject() -> Response:
        search = wire.read_search("subject", parse_json(_read_body()), decider.schema)
        found = decider.search_subjects(search.request, search.limit, search.token)
        return _answer(decider, _write_entities(found, search.request.subject.type))

    @api.post(SEARCH_RESOURCE)
    def search_resource() -> Response:
        search = wire.read_search("resource", parse_json(_read_body()), decider.schema)
        found = decider.search_resources(search.request, search.limit, search.token)
        return _answer(decider, _write_entities(found, search.request.resource.type))

    @api.post(SEARCH_ACTION)
    def search_action() -> Response:
        search = wire.read_search("action", parse_json(_read_body()), decider.schema)
        found = decider.search_actions(search.request, search.limit, search.token)
        return _answer(decider, wire.write_found(found, ({"name": each} for each in found.results)))


def _find_problems(service: Service) -> list[str]:
    """Find what keeps questions from being answered."""
    try:
        return [] if service.store.has_tables() else ["the store has no tables"]
    except AuthzError as error:
        return [str(fault) for fault in error.faults]


def _read_body() -> bytes:
    """Take the body of a JSON request; AuthZEN's certification wants 400 for any other type."""
    if request.mimetype != "application/json":
        message = "the Content-Type must be `application/json`"
        raise RequestError.at("Content-Type", "wrong_content_type", message)
    body = request.get_data(cache=False)
    # werkzeug cuts a body without a length at the limit, and does not say so
    if request.content_length is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return body


def _decide_one(decider: Decider, data: dict[str, Any]) -> Response:
    decision = decider.check(wire.read_evaluation(data, decider.schema))
    return _answer(decider, wire.write_decision(decision, with_reasons=True))


def _decide_many(decider: Decider, batch: Batch) -> Iterator[dict[str, Any]]:
    """Answer the items in order, up to the one that decides the batch."""
    stop_at = _STOP_AT[batch.semantic]
    asked = [item for item in batch.items if not isinstance(item, RequestError)]
    # a batch that may stop is asked one by one: what comes after the deciding item never is
    decisions = iter(decider.check_many(asked)) if stop_at is None else map(decider.check, asked)
    for item in batch.items:
        if isinstance(item, RequestError):
            answer = wire.write_item_error(item)
        else:
            answer = wire.write_decision(next(decisions), with_reasons=batch.with_reasons)
        yield answer
        if answer["decision"] is stop_at:
            return


def _write_entities(found: Found, kind: str) -> dict[str, Any]:
    return wire.write_found(found, ({"type": kind, "id": each} for each in found.results))


def _answer(decider: Decider, body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.headers["X-Policy-Digest"] = decider.policy_digest
    return response
