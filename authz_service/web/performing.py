"""Performing over HTTP: the same body as a question, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, jsonify, request

from authz_service.decision.performer import Deed, write_performed
from authz_service.policy.request import read_inputs
from authz_service.strict_json import parse_json
from authz_service.web import wire
from authz_service.web.body import read_body, read_reason

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from authz_service.assembly import Service

PERFORM: Final = "/v1/perform"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"


def add_performing(api: Blueprint, service: Service) -> None:
    """Add the endpoint.

    Arguments:
        api: to which it is added.
        service: which performs.
    """

    @api.post(PERFORM)
    def perform() -> Response:
        require = service.decider.open_freshness().require
        data, schema = parse_json(read_body()), service.decider.schema
        asked = wire.read_evaluation(data, schema, require)
        inputs = read_inputs(schema, data["action"].get("properties") or {})
        key = request.headers.get(IDEMPOTENCY_KEY, "")
        deed = Deed(asked, inputs, g.get("client", ""), read_reason(), key)
        response = jsonify(write_performed(service.performer.perform(deed)))
        response.headers["X-Policy-Digest"] = service.decider.policy_digest
        return response
