"""Explanations over HTTP: the same body as a question, and why it is answered so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import jsonify

from authz_service.decision.account import write_explanation
from authz_service.strict_json import parse_json
from authz_service.web import wire
from authz_service.web.body import read_body

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from authz_service.assembly import Service

EXPLAIN: Final = "/v1/explain"


def add_explaining(api: Blueprint, service: Service) -> None:
    """Add the endpoint.

    Arguments:
        api: to which it is added.
        service: which explains.
    """

    @api.post(EXPLAIN)
    def explain() -> Response:
        require = service.decider.open_freshness().require
        asked = wire.read_evaluation(parse_json(read_body()), service.decider.schema, require)
        response = jsonify(write_explanation(service.explainer.explain(asked)))
        response.headers["X-Policy-Digest"] = service.decider.policy_digest
        return response
