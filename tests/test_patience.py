"""Clients that keep threads waiting for their bodies, without a server."""

from __future__ import annotations

import io
import threading
from typing import Final

from authz_service.web.patience import Patience, PatientBody

SECONDS: Final = 10


class Dawdler(io.BytesIO):
    """A body that comes when it is let go."""

    def __init__(self) -> None:
        super().__init__(b"late")
        self.is_asked = threading.Event()
        self.go = threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        """Wait, then read."""
        self.is_asked.set()
        assert self.go.wait(60)
        return super().read(size)


def send(patience: Patience, body: Dawdler) -> threading.Thread:
    """Send a body to a thread of its own, and wait until it is waited for."""
    thread = threading.Thread(target=patience.read, args=(body,))
    thread.start()
    assert body.is_asked.wait(60)
    return thread


def test_a_body_is_passed_on_as_it_is() -> None:
    """What is read is what was sent."""
    patience = Patience(threads=1, seconds=SECONDS)
    body = PatientBody(io.BytesIO(b"abcdef"), patience)

    assert [b"abcd", b"ef"] == [body.read(4), body.read()]
    assert not patience.is_at_end()


def test_patience_ends_when_all_threads_have_waited() -> None:
    """One of two threads may wait for ever; both may for so many seconds."""
    now = 0.0
    patience = Patience(threads=2, seconds=SECONDS, clock=lambda: now)
    bodies = [Dawdler(), Dawdler()]
    first = send(patience, bodies[0])
    now = 100.0
    one_waits = patience.is_at_end()
    second = send(patience, bodies[1])
    now += SECONDS
    not_yet = patience.is_at_end()
    now += 1
    both_wait = patience.is_at_end()
    for body in bodies:
        body.go.set()
    first.join()
    second.join()

    assert [False, False, True, False] == [one_waits, not_yet, both_wait, patience.is_at_end()]
