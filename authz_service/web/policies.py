"""The policies over HTTP: which serve, which did, what is being tried, and a bundle that is to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from flask import g, jsonify, request

from authz_service.activation.bundle import TAR, read_bundle
from authz_service.activation.status import write_activation, write_status
from authz_service.errors import AuthzError
from authz_service.store.policies import find_last
from authz_service.web.body import read_body

if TYPE_CHECKING:
    from flask import Blueprint, Response

    from authz_service.activation.keeper import Attempt, Keeper
    from authz_service.assembly import Service

POLICIES: Final = "/v1/policies"
ACTIVATE: Final = "/v1/policies/activate"

_LOGGER: Final = logging.getLogger(__name__)
_ACCEPTED: Final = 202
_NAMELESS: Final = "a client without a key"


def add_policies(api: Blueprint, service: Service, keeper: Keeper) -> None:
    """Add the endpoints.

    Arguments:
        api: to which they are added.
        service: whose policies they are.
        keeper: has a bundle tried.
    """
    store, clock = service.store, service.clock

    # who may: the scope `policies`, here and below
    @api.get(POLICIES)
    def policies() -> Response:
        response = jsonify(write_status(store, clock()))
        response.cache_control.no_store = True
        return response

    @api.post(ACTIVATE)
    def activate() -> Response:
        candidate = read_bundle(read_body(TAR), "body")
        attempt = keeper.begin(candidate, g.get("client") or _NAMELESS)
        if attempt is None:
            return jsonify(_write_served(service))
        threading.Thread(
            target=_finish, args=(service, keeper, attempt), name="try-policies", daemon=True
        ).start()
        response = jsonify({"digest": candidate.digest, "state": attempt.trial.state})
        response.status_code = _ACCEPTED
        # below the path of the public URL as well
        response.headers["Location"] = request.path.removesuffix("/activate")
        return response


def _write_served(service: Service) -> dict[str, Any]:
    last = find_last(service.store)
    return write_activation(last) if last else {}


def _finish(service: Service, keeper: Keeper, attempt: Attempt) -> None:
    """Try what was sent: the work of a thread of its own, which only waits for a process."""
    try:
        keeper.finish(attempt)
    except AuthzError as error:
        _LOGGER.error("a bundle could not be tried to the end: %s", error)  # noqa: TRY400  # one line
    finally:
        service.store.close()
