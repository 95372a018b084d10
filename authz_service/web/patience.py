"""How long clients keep the threads of a process waiting for their bodies.

A thread that reads a body is there for nobody else, and cannot be called back. When clients keep
all of them waiting, by accident or not, nobody is answered; then the process has to be replaced.
"""

from __future__ import annotations

import time
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import InputStream


class Patience:
    """Knows which threads wait for a body, and since when.

    Safe to share between threads.

    Arguments:
        threads: how many there are.
        seconds: how long all of them may wait.
        clock: tells the time, in seconds.
    """

    def __init__(
        self, threads: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threads = threads
        self._seconds = seconds
        self._clock = clock
        self._since: dict[int, float] = {}

    def read(self, body: InputStream, size: int = -1) -> bytes:
        """Read so many bytes of a body, or all, which may take as long as the client likes."""
        thread = get_ident()
        self._since[thread] = self._clock()
        try:
            return body.read(size)
        finally:
            del self._since[thread]

    def is_at_end(self) -> bool:
        """Tell whether all threads have been waiting for too long."""
        waiting = list(self._since.values())
        latest = self._clock() - self._seconds
        return len(waiting) >= self._threads and all(since < latest for since in waiting)


class PatientBody:
    """A body that is read with patience, for whoever reads it.

    Arguments:
        body: where it comes from.
        patience: knows how long it is waited for.
    """

    def __init__(self, body: InputStream, patience: Patience) -> None:
        self._body = body
        self._patience = patience

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all."""
        return self._patience.read(self._body, size)
