"""The endpoints: AuthZEN's evaluation, evaluations and metadata, and our health."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, jsonify

from authz_service.errors import AuthzError
from authz_service.strict_json import parse_json
from authz_service.web import wire
from authz_service.web.body import JSON, read_body
from authz_service.web.changes import add_changes
from authz_service.web.decisions import add_decisions
from authz_service.web.entities import add_entities
from authz_service.web.explaining import add_explaining
from authz_service.web.performing import add_performing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from authz_service.assembly import Service
    from authz_service.decision.answer import Found
    from authz_service.decision.decider import Decider
    from authz_service.web.answer import Answering, Responder
    from authz_service.web.wire import Search

WELL_KNOWN = "/.well-known/authzen-configuration"
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH_SUBJECT = "/access/v1/search/subject"
SEARCH_RESOURCE = "/access/v1/search/resource"
SEARCH_ACTION = "/access/v1/search/action"
POLICY_DIGEST = "X-Policy-Digest"
REQUEST_ID = "X-Request-ID"
# The name of whatever is found below the path of the public URL.
TENANT = "tenant"


def register_api(app: Flask, service: Service, responder: Responder) -> None:
    """Add the endpoints to the application, below the path of the public URL as well.

    A proxy may pass that path on or strip it; the metadata is found where AuthZEN puts it (the
    path after the well-known part, section 9.2) and where some clients look (before it).
    """
    app.register_blueprint(_build_blueprint(service, responder))
    path = find_tenant(service)
    if path:
        tenant = _build_blueprint(service, responder)
        app.register_blueprint(tenant, name=TENANT, url_prefix=path)
        app.add_url_rule(WELL_KNOWN + path, view_func=app.view_functions[f"{TENANT}.metadata"])


def find_answers(service: Service, responder: Responder) -> Mapping[str, Answering]:
    """Find what answers questions, by each path to which they may be sent."""
    answers = {EVALUATION: responder.evaluation, EVALUATIONS: responder.evaluations}
    tenant = find_tenant(service)
    return answers | {tenant + path: answer for path, answer in answers.items()}


def find_tenant(service: Service) -> str:
    """Find the path of the public URL; mostly it has none."""
    return urlsplit(service.settings.base_url).path


def _build_blueprint(service: Service, responder: Responder) -> Blueprint:
    decider, settings = service.decider, service.settings
    api = Blueprint("api", __name__)
    _add_searches(api, decider)
    add_entities(api, service)
    add_changes(api, service)
    add_decisions(api, service)
    add_performing(api, service)
    add_explaining(api, service)

    @api.post(EVALUATION)
    def evaluation() -> Response:
        return _add_digest(
            decider, Response(responder.evaluation(read_body(), g.client), mimetype=JSON)
        )

    @api.post(EVALUATIONS)
    def evaluations() -> Response:
        return _add_digest(
            decider, Response(responder.evaluations(read_body(), g.client), mimetype=JSON)
        )

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
        search = _read_search("subject", decider)
        found = decider.search_subjects(search.request, search.limit, search.token, g.client)
        return _answer(decider, _write_entities(found, search.request.subject.type))

    @api.post(SEARCH_RESOURCE)
    def search_resource() -> Response:
        search = _read_search("resource", decider)
        found = decider.search_resources(search.request, search.limit, search.token, g.client)
        return _answer(decider, _write_entities(found, search.request.resource.type))

    @api.post(SEARCH_ACTION)
    def search_action() -> Response:
        search = _read_search("action", decider)
        found = decider.search_actions(search.request, search.limit, search.token, g.client)
        return _answer(decider, wire.write_found(found, ({"name": each} for each in found.results)))


def _read_search(searched: str, decider: Decider) -> Search:
    require = decider.open_freshness().require
    return wire.read_search(searched, parse_json(read_body()), decider.schema, require)


def _find_problems(service: Service) -> list[str]:
    """Find what keeps questions from being answered."""
    try:
        return [] if service.store.has_tables() else ["the store has no tables"]
    except AuthzError as error:
        return [str(fault) for fault in error.faults]


def _write_entities(found: Found, kind: str) -> dict[str, Any]:
    return wire.write_found(found, ({"type": kind, "id": each} for each in found.results))


def _answer(decider: Decider, body: dict[str, Any]) -> Response:
    return _add_digest(decider, jsonify(body))


def _add_digest(decider: Decider, response: Response) -> Response:
    response.headers[POLICY_DIGEST] = decider.policy_digest
    return response
