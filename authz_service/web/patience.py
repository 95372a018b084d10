"""How long clients keep the threads of a process waiting for their bodies.

A thread that reads a body is there for nobody else, and cannot be called back. When clients keep
all of them waiting, by accident or not, nobody is answered; then the process has to be replaced.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment


class PatientLayer:
    """A WSGI application in front of another, which knows for how long bodies are waited for.

    Safe to share between threads.

    Arguments:
        wsgi_app: what reads the bodies, and answers.
        threads: how many do so at the same time.
        seconds: how long all of them may wait.
        clock: tells the time, in seconds.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        threads: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wsgi_app = wsgi_app
        self._threads = threads
        self._seconds = seconds
        self._clock = clock
        self._since: dict[int, float] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, with a body whose reading is watched."""
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._read)
        return self._wsgi_app(environ, start_response)

    def is_at_end(self) -> bool:
        """Tell whether all threads have been waiting for too long."""
        waiting = list(self._since.values())
        latest = self._clock() - self._seconds
        return len(waiting) >= self._threads and all(since < latest for since in waiting)

    def _read(self, read: Callable[..., bytes], *arguments: Any) -> bytes:
        """Read from a body, which may take as long as the client likes."""
        thread = threading.get_ident()
        self._since[thread] = self._clock()
        try:
            return read(*arguments)
        finally:
            del self._since[thread]


class _Body:
    """A body whose reading is watched.

    Arguments:
        body: where it comes from.
        watch: is given what reads, and with which arguments.
    """

    def __init__(self, body: InputStream, watch: Callable[..., bytes]) -> None:
        self._body = body
        self._watch = watch

    def read(self, *size: int) -> bytes:
        """Read so many bytes, or all."""
        return self._watch(self._body.read, *size)
