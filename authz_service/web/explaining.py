"""Explanations over HTTP: the same body as a question, and why it is, or was, answered so."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from flask import jsonify

from authz_service import assembly
from authz_service.decision.account import write_explanation
from authz_service.document import parse_time
from authz_service.errors import RequestError
from authz_service.policy.kept import find_policies
from authz_service.store.history import AT, find_moment, refuse_absent
from authz_service.store.past import open_at
from authz_service.store.writer import write_time
from authz_service.strict_json import parse_json
from authz_service.web import wire
from authz_service.web.body import read_body

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Blueprint, Response

    from authz_service.assembly import Service
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.request import Request
    from authz_service.policy.source import PolicySet
    from authz_service.web.front import Front

EXPLAIN: Final = "/v1/explain"
# Compiled policy sets of the past; each takes a few megabytes, and a tenth of a second to compile.
_MOST_KEPT: Final = 8


def add_explaining(api: Blueprint, front: Front) -> None:
    """Add the endpoint.

    Arguments:
        api: to which it is added.
        front: has what explains by now.
    """
    past = _Past(front.desk.service)

    @api.post(EXPLAIN)
    def explain() -> Response:
        service = front.desk.service
        require = service.decider.open_freshness().require
        data = parse_json(read_body())
        asked = wire.read_evaluation(data, service.decider.schema, require)
        at = _read_at(data.get("context") or {})
        if at is None:
            written = write_explanation(service.explainer.explain(asked))
        else:
            written = past.explain(asked, at, service.explainer.engine)
        response = jsonify(written)
        response.headers["X-Policy-Digest"] = written["explanation"]["policy_digest"]
        return response


class _Past:
    """Explains what was decided at a moment, by the policies of then.

    Arguments:
        service: whose store it is, and whose domain.
    """

    def __init__(self, service: Service) -> None:
        self._settings = service.settings
        self._domain = service.domain
        self._store = service.store
        self._clock = service.clock
        self._compile = lru_cache(_MOST_KEPT)(self._compile_anew)

    def explain(self, request: Request, at: int | datetime, now: CompiledEngine) -> dict[str, Any]:
        """Explain a request as of a moment.

        Arguments:
            request: what is explained.
            at: as of which revision, or time.
            now: what is asked where the policies of then are not kept.

        Raises:
            HistoryError: when the store cannot go back there.
            NotFoundError: when the subject or the resource was not there then.
            PolicyError: when the policies of then cannot be used any more.
        """
        store, domain = self._store, self._domain
        moment = find_moment(store, at, self._clock())
        kept = find_policies(store, moment.at)
        engine = self._compile(kept) if kept else now
        with open_at(store, moment.revision) as past:
            for each in (request.subject, request.resource):
                refuse_absent(store, moment, past, each)
            decider = assembly.build_decider(engine, domain, past, lambda: moment.at)
            explainer = assembly.build_explainer(engine, decider, domain, past, lambda: moment.at)
            written = write_explanation(explainer.explain(request))
        written["explanation"]["at"] = write_time(moment.at)
        written["explanation"]["policies_kept"] = kept is not None
        return written

    def _compile_anew(self, policies: PolicySet) -> CompiledEngine:
        return assembly.compile_policies(policies, self._settings, self._domain)


def _read_at(context: dict[str, Any]) -> int | datetime | None:
    """Read as of which moment is asked: a revision, or a time with its zone."""
    at = context.get("at")
    if at is None or (type(at) is int and at >= 0):
        return at
    try:
        return parse_time(at)
    except (TypeError, ValueError):
        message = f"`{AT}` must be a revision, or a time such as 2026-01-05T09:00:00Z"
        raise RequestError.at(AT, "wrong_type", message) from None
