"""The policies over HTTP: which serve, which did, what is being tried, and a bundle that is to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from flask import g, jsonify, request

from authz_service.activation.bundle import TAR, read_bundle
from authz_service.activation.status import write_status
from authz_service.errors import AuthzError
from authz_service.web.body import read_body

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flask import Blueprint, Response

    from authz_service.activation.keeper import Attempt, Keeper
    from authz_service.store.database import Store

POLICIES: Final = "/v1/policies"
ACTIVATE: Final = "/v1/policies/activate"

_LOGGER: Final = logging.getLogger(__name__)
_ACCEPTED: Final = 202
_NAMELESS: Final = "a client without a key"


def add_policies(
    api: Blueprint, store: Store, keeper: Keeper, clock: Callable[[], datetime]
) -> None:
    """Add the endpoints.

    Arguments:
        api: to which they are added.
        store: that knows which policies serve.
        keeper: has a bundle tried.
        clock: tells the time, with its zone.
    """

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
            return jsonify(write_status(store, clock())["serves"])
        threading.Thread(
            target=_finish, args=(store, keeper, attempt), name="try-policies", daemon=True
        ).start()
        response = jsonify({"digest": candidate.digest, "state": attempt.trial.state})
        response.status_code = _ACCEPTED
        # below the path of the public URL as well
        response.headers["Location"] = request.path.removesuffix("/activate")
        return response


def _finish(store: Store, keeper: Keeper, attempt: Attempt) -> None:
    """Try what was sent: the work of a thread of its own, which only waits for a process."""
    try:
        keeper.finish(attempt)
    except AuthzError as error:
        _LOGGER.error("a bundle could not be tried to the end: %s", error)  # noqa: TRY400  # one line
    finally:
        store.close()
