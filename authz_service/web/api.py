"""The endpoints: AuthZEN's evaluation, evaluations and metadata, and our health."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, jsonify

from authz_service.errors import AuthzError
from authz_service.strict_json import parse_json
from authz_service.web import wire
from authz_service.web.body import JSON, read_body
from authz_service.web.changes import add_changes
from authz_service.web.decisions import add_decisions
from authz_service.web.entities import add_entities
from authz_service.web.explaining import add_explaining
from authz_service.web.front import EVALUATION, EVALUATIONS, POLICY_DIGEST, find_tenant
from authz_service.web.performing import add_performing
from authz_service.web.policies import add_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from authz_service.activation.keeper import Keeper
    from authz_service.assembly import Service
    from authz_service.decision.answer import Found
    from authz_service.decision.decider import Decider
    from authz_service.errors import Fault
    from authz_service.web.front import Desk, Front
    from authz_service.web.wire import Search

    Problems = Callable[[], Iterable[Fault]]

WELL_KNOWN = "/.well-known/authzen-configuration"
SEARCH_SUBJECT = "/access/v1/search/subject"
SEARCH_RESOURCE = "/access/v1/search/resource"
SEARCH_ACTION = "/access/v1/search/action"
REQUEST_ID = "X-Request-ID"
# The name of whatever is found below the path of the public URL.
TENANT = "tenant"


def register_api(app: Flask, front: Front, keeper: Keeper, problems: Problems) -> None:
    """Add the endpoints to the application, below the path of the public URL as well.

    A proxy may pass that path on or strip it; the metadata is found where AuthZEN puts it (the
    path after the well-known part, section 9.2) and where some clients look (before it).

    Arguments:
        app: the application.
        front: has what answers by now.
        keeper: has policies tried that are sent.
        problems: tells why the policies that are wanted do not serve.
    """
    app.register_blueprint(_build_blueprint(front, keeper, problems))
    path = find_tenant(front.desk.service)
    if path:
        tenant = _build_blueprint(front, keeper, problems)
        app.register_blueprint(tenant, name=TENANT, url_prefix=path)
        app.add_url_rule(WELL_KNOWN + path, view_func=app.view_functions[f"{TENANT}.metadata"])


def _build_blueprint(front: Front, keeper: Keeper, problems: Problems) -> Blueprint:
    service = front.desk.service
    base = service.settings.base_url
    api = Blueprint("api", __name__)
    _add_searches(api, front)
    add_entities(api, service)
    add_changes(api, service)
    add_decisions(api, service)
    add_performing(api, front)
    add_explaining(api, front)
    add_policies(api, service.store, keeper, service.clock)

    @api.post(EVALUATION)
    def evaluation() -> Response:
        return _answer_body(front.desk, EVALUATION)

    @api.post(EVALUATIONS)
    def evaluations() -> Response:
        return _answer_body(front.desk, EVALUATIONS)

    @api.get(WELL_KNOWN)
    def metadata() -> Response:
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
        service = front.desk.service
        decider, broken = service.decider, _find_problems(service)
        found = broken + list(map(str, problems()))
        state: dict[str, Any] = {"status": "degraded" if found else "ok"}
        state |= {"engine": decider.engine_name, "policy_digest": decider.policy_digest}
        if not service.has_reference:
            state["reference"] = None
        if service.sampled:
            state["reference"] = dataclasses.asdict(service.sampled.tally())
        if found:
            state["problems"] = found
        response = _answer(decider, state)
        # policies that are refused keep no question from being answered
        response.status_code = 503 if broken else 200
        response.cache_control.no_store = True
        return response

    return api


def _add_searches(api: Blueprint, front: Front) -> None:
    @api.post(SEARCH_SUBJECT)
    def search_subject() -> Response:
        decider = front.desk.service.decider
        search = _read_search("subject", decider)
        found = decider.search_subjects(search.request, search.limit, search.token, g.client)
        return _answer(decider, _write_entities(found, search.request.subject.type))

    @api.post(SEARCH_RESOURCE)
    def search_resource() -> Response:
        decider = front.desk.service.decider
        search = _read_search("resource", decider)
        found = decider.search_resources(search.request, search.limit, search.token, g.client)
        return _answer(decider, _write_entities(found, search.request.resource.type))

    @api.post(SEARCH_ACTION)
    def search_action() -> Response:
        decider = front.desk.service.decider
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


def _answer_body(desk: Desk, path: str) -> Response:
    """Answer the body of a question as the door in front does."""
    written = desk.answers[path](read_body(), g.client)
    return _add_digest(desk.service.decider, Response(written, mimetype=JSON))


def _add_digest(decider: Decider, response: Response) -> Response:
    response.headers[POLICY_DIGEST] = decider.policy_digest
    return response
