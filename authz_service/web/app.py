"""The Flask application: the endpoints, one shape for all errors, and the request's own id."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from flask import Flask, g, jsonify, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from authz_service import assembly, storage
from authz_service.activation.follower import Follower
from authz_service.activation.keeper import Keeper
from authz_service.activation.signature import load_trust
from authz_service.addresses import is_loopback
from authz_service.errors import AuthzError, Fault, Place, StoreError, UnauthorizedError
from authz_service.web import wire
from authz_service.web.api import REQUEST_ID, TENANT, register_api
from authz_service.web.entities import EntityIdConverter
from authz_service.web.front import Front, find_tenant
from authz_service.web.lean import LeanLayer
from authz_service.web.patience import Patience
from authz_service.web.security import CHALLENGE, Guard, find_scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Response

    from authz_service.assembly import Service
    from authz_service.decision.log import DecisionLog
    from authz_service.policy.engine import Engine
    from authz_service.settings import Settings
    from authz_service.web.api import Problems

_LOGGER: Final = logging.getLogger(__name__)
_LONGEST_PATH: Final = 100


class _JSONProvider(DefaultJSONProvider):
    """JSON in the order in which it was put together, on one line."""

    sort_keys = False
    compact = True


class _EndedInput:
    """Says that the server ends a request's input by itself, as granian does.

    Without this, werkzeug reads nothing of a body that comes in chunks, without a length.
    """

    def __init__(self, wsgi_app: WSGIApplication) -> None:
        self._wsgi_app = wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input_terminated"] = True
        return self._wsgi_app(environ, start_response)


def load_app(
    settings: Settings,
    engine: Engine | None = None,
    patience: Patience | None = None,
    log: DecisionLog | None = None,
) -> Flask:
    """Build the application of a process that granian serves.

    Arguments:
        settings: of the service.
        engine: what evaluates its policies, where it has been built already.
        patience: knows how long clients keep the process waiting.
        log: takes the decisions; without one, nobody does.
    """
    service = assembly.build_service(settings, engine, log)
    guard = build_guard(service)
    threading.Thread(target=guard.uses.keep_noting, name="note-uses", daemon=True).start()
    patience = patience or Patience(settings.threads, settings.body_timeout)
    front = Front(service)
    follower = Follower(service, load_trust(settings.policy_keys), front.swap)
    follower.look()  # what began to serve since the engine was built
    never = threading.Event()
    threading.Thread(target=follower.run, args=(never,), name="follow", daemon=True).start()
    keeper = build_keeper(service)
    return build_app(front, keeper, patience, guard, problems=lambda: follower.problems)


def build_guard(service: Service) -> Guard:
    """Build what lets requests in; where others than this machine ask, never without a key."""
    may_open = is_loopback(service.settings.host)
    return Guard(service.store, may_open=may_open, tell_time=storage.tell_time)


def build_keeper(service: Service) -> Keeper:
    """Build what has policies tried that are sent."""
    settings, trust = service.settings, load_trust(service.settings.policy_keys)
    return Keeper(settings, service.store, trust, service.clock, new_id=assembly.draw_id)


def create_app(
    service: Service, patience: Patience | None = None, guard: Guard | None = None
) -> Flask:
    """Build the application over a service, in whose place no other comes.

    Arguments:
        service: what answers.
        patience: as below.
        guard: lets requests in; one over the store of the service if there is none.
    """
    guard = guard or build_guard(service)
    return build_app(Front(service), build_keeper(service), patience, guard)


def build_app(
    front: Front,
    keeper: Keeper,
    patience: Patience | None,
    guard: Guard,
    *,
    problems: Problems = tuple,
) -> Flask:
    """Build the application.

    Arguments:
        front: has what answers by now.
        keeper: has policies tried that are sent.
        patience: where it is served by threads, and usual questions are answered in front of Flask.
        guard: lets requests in.
        problems: tells why the policies that are wanted do not serve.
    """
    service = front.desk.service
    app = Flask("authz_service", static_folder=None)
    app.json = _JSONProvider(app)
    app.url_map.converters["entity_id"] = EntityIdConverter
    app.url_map.merge_slashes = False  # no redirects: a path is right or it is not
    app.config["MAX_CONTENT_LENGTH"] = service.settings.max_body
    _guard_views(app, guard, find_tenant(service))
    app.after_request(_echo_request_id)
    app.register_error_handler(AuthzError, _answer_refusal)
    app.register_error_handler(StoreError, _answer_mishap)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_accident)
    register_api(app, front, keeper, problems)
    if patience:
        app.wsgi_app = LeanLayer(  # type: ignore[method-assign]  # Flask's own way
            _EndedInput(app.wsgi_app), front, guard, patience
        )
    return app


def _guard_views(app: Flask, guard: Guard, tenant: str) -> None:
    """Have each request show its key, whatever it asks for; views find its name in `g.client`."""

    @app.before_request
    def admit() -> None:
        rule = request.url_rule.rule if request.url_rule else ""
        path = rule.removeprefix(tenant) if request.blueprint == TENANT else rule
        scope = find_scope(request.method, path)
        g.client = guard.admit(request.headers.get("Authorization", ""), scope)


def _echo_request_id(response: Response) -> Response:
    """Give the caller's id back, on errors too (AuthZEN section 10.1.4)."""
    if REQUEST_ID in request.headers:
        response.headers[REQUEST_ID] = request.headers[REQUEST_ID]
    return response


def _answer_mishap(error: StoreError) -> Response:
    """Tell the log what the database said, and the caller that nothing was done."""
    _LOGGER.error("%s failed: %s", _place(), error)
    message = "the database cannot be used, so nothing was changed; the log of the service says why"
    response = jsonify(wire.write_fault(Fault(_place(), "database_error", message)))
    response.status_code = error.http_status
    return response


def _answer_refusal(error: AuthzError) -> Response:
    if error.http_status == 500:  # noqa: PLR2004  # nothing that a caller can mend
        return _answer_accident(error)
    response = jsonify(wire.write_error(error))
    response.status_code = error.http_status
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def _answer_http_error(error: HTTPException) -> Response:
    code = error.name.lower().replace(" ", "_")
    message = f"there is no `{_shown_path()}` here" if error.code == 404 else _sentence(error)  # noqa: PLR2004  # not found
    response = jsonify(wire.write_fault(Fault(_place(), code, message)))
    response.status_code = error.code or 500
    if error.code == 405:  # noqa: PLR2004  # method not allowed: say which are
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", ())))
    return response


def _answer_accident(error: Exception) -> Response:
    """Tell the log what happened, and the caller that something did."""
    _LOGGER.error("%s failed", _place(), exc_info=error)
    message = "something went wrong here; the log of the service says what"
    response = jsonify(wire.write_fault(Fault(_place(), "internal_error", message)))
    response.status_code = 500
    return response


def _place() -> Place:
    return Place(f"{request.method} {_shown_path()}")


def _shown_path() -> str:
    """The path as it may stand in a log and in a message: on one line, and not too long."""
    path = request.path.encode("unicode_escape").decode()
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}..."


def _sentence(error: HTTPException) -> str:
    if isinstance(error, RequestEntityTooLarge):
        return "the body is larger than the service accepts; the setting is `max_body`"
    said = (error.description or error.name).rstrip(".")
    return said[0].lower() + said[1:]
