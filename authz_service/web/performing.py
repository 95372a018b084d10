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

    from authz_service.web.front import Front

PERFORM: Final = "/v1/perform"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"


def add_performing(api: Blueprint, front: Front) -> None:
    """Add the endpoint.

    Arguments:
        api: to which it is added.
        front: has what performs by now.
    """

    @api.post(PERFORM)
    def perform() -> Response:
        service = front.desk.service
        require = service.decider.open_freshness().require
        data, schema = parse_json(read_body()), service.decider.schema
        asked = wire.read_evaluation(data, schema, require)
        inputs = read_inputs(schema, data["action"].get("properties") or {})
        key = request.headers.get(IDEMPOTENCY_KEY, "")
        deed = Deed(asked, inputs, g.get("client", ""), read_reason(), key)
        performed = service.performer.perform(deed)
        response = jsonify(write_performed(performed))
        # an answer that is repeated is one by the policies of then
        response.headers["X-Policy-Digest"] = performed.decision.policy_digest
        return response
