"""The short way in: usual questions are answered in front of Flask, whose dispatch costs more.

Whatever is not usual, and whatever is to be refused, goes on to the Flask application, which so has
the only word on methods, headers and errors.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from authz_service.errors import AuthzError
from authz_service.store.keys import Scope
from authz_service.web.api import REQUEST_ID
from authz_service.web.body import JSON
from authz_service.web.patience import PatientBody

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from authz_service.web.front import Front
    from authz_service.web.patience import Patience
    from authz_service.web.security import Guard

# More digits make no length of a body.
_LONGEST_LENGTH: Final = 18


class LeanLayer:
    """A WSGI application that answers questions, and passes everything else on.

    Arguments:
        wsgi_app: where all else goes.
        front: has what answers by now; it raises for what Flask shall refuse.
        guard: knows who may ask.
        patience: knows how long bodies are waited for.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        front: Front,
        guard: Guard,
        patience: Patience,
    ) -> None:
        self._wsgi_app = wsgi_app
        self._patience = patience
        self._front = front
        self._guard = guard
        self._max_body = front.desk.service.settings.max_body

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a usual question, or pass the request on."""
        desk = self._front.desk
        answer = desk.answers.get(environ["PATH_INFO"])
        size = self._find_size(environ)
        client = None if answer is None or size is None else self._find_client(environ)
        if answer is None or size is None or client is None:
            environ["wsgi.input"] = PatientBody(environ["wsgi.input"], self._patience)
            return self._wsgi_app(environ, start_response)
        body = self._patience.read(environ["wsgi.input"], size)
        try:
            found = answer(body, client)
        except Exception:  # noqa: BLE001  # as below
            environ["wsgi.input"] = io.BytesIO(body)
            return self._wsgi_app(environ, start_response)
        headers = [*desk.headers, ("Content-Length", str(len(found)))]
        if "HTTP_X_REQUEST_ID" in environ:
            headers.append((REQUEST_ID, environ["HTTP_X_REQUEST_ID"]))
        start_response("200 OK", headers)
        return [found]

    def _find_client(self, environ: WSGIEnvironment) -> str | None:
        """Find the name of who asks; None for who may not, and is not waited for."""
        try:
            return self._guard.admit(environ.get("HTTP_AUTHORIZATION", ""), Scope.DECIDE)
        except AuthzError:  # Flask will run into the same, and has the words for it
            return None

    def _find_size(self, environ: WSGIEnvironment) -> int | None:
        """Find how long the body of a usual request is; None where the request is not usual."""
        length, content_type = environ.get("CONTENT_LENGTH", ""), environ.get("CONTENT_TYPE", "")
        is_usual = (
            environ["REQUEST_METHOD"] == "POST"
            and (content_type == JSON or content_type.partition(";")[0] == JSON)
            and length.isdecimal()
            and len(length) <= _LONGEST_LENGTH
            # Flask looks at these
            and "HTTP_TRANSFER_ENCODING" not in environ
            and "HTTP_UPGRADE" not in environ
            and ("HTTP_X_REQUEST_ID" not in environ or environ["HTTP_X_REQUEST_ID"].isprintable())
        )
        size = int(length) if is_usual else self._max_body + 1
        return size if size <= self._max_body else None
