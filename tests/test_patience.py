"""Clients that keep threads waiting for their bodies, without a server."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any, Final

from authz_service.web.patience import PatientLayer

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def read_all(environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
    """Answer with the body."""
    return [environ["wsgi.input"].read(4), environ["wsgi.input"].read()]


def ignore(*_anything: Any) -> Any:
    """Begin no response."""


def send(layer: PatientLayer, body: Dawdler) -> threading.Thread:
    """Send a body from a thread of its own, and wait until it is waited for."""
    thread = threading.Thread(target=layer, args=({"wsgi.input": body}, None))
    thread.start()
    assert body.is_asked.wait(60)
    return thread


def test_a_body_is_passed_on_as_it_is() -> None:
    """What is read is what was sent."""
    layer = PatientLayer(read_all, threads=1, seconds=SECONDS)

    assert [b"abcd", b"ef"] == layer({"wsgi.input": io.BytesIO(b"abcdef")}, ignore)
    assert not layer.is_at_end()


def test_patience_ends_when_all_threads_have_waited() -> None:
    """One of two threads may wait for ever; both may for so many seconds."""
    now = 0.0
    layer = PatientLayer(read_all, threads=2, seconds=SECONDS, clock=lambda: now)
    bodies = [Dawdler(), Dawdler()]
    first = send(layer, bodies[0])
    now = 100.0
    one_waits = layer.is_at_end()
    second = send(layer, bodies[1])
    now += SECONDS
    not_yet = layer.is_at_end()
    now += 1
    both_wait = layer.is_at_end()
    for body in bodies:
        body.go.set()
    first.join()
    second.join()

    assert [False, False, True, False] == [one_waits, not_yet, both_wait, layer.is_at_end()]
