"""Two engines held against each other: on every question, or on a sample beside the answers."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.errors import AuthzError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from authz_service.policy.engine import Engine
    from authz_service.policy.request import Request
    from authz_service.store.database import Store

_LOGGER: Final = logging.getLogger(__name__)
_MOST_WAITING: Final = 1_000


class Both:
    """An engine that asks two others and answers only what they agree on.

    Arguments:
        engine: whose answer it is.
        reference: who has to agree.
    """

    name: Final = "both"

    def __init__(self, engine: Engine, reference: Engine) -> None:
        self.policy_digest = engine.policy_digest
        self._engine = engine
        self._reference = reference

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self._engine.find_messages()

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find everything that stands against a request, from one state of the store.

        Raises:
            PolicyError: when the two disagree, on the decision or on any reason.
            Exception: whatever kept either from deciding.
        """
        with store.snapshot():
            found = self._engine.reasons(store, request, now)
            wanted = self._reference.reasons(store, request, now)
        if found != wanted:
            message = f"{self._engine.name} says {_shown(found)}, "
            message += f"{self._reference.name} says {_shown(wanted)}"
            raise PolicyError.at("the engines", "engines_disagree", message)
        return found


@dataclass(frozen=True)
class Tally:
    """How often the reference was asked, and how often it disagreed."""

    asked: int
    disagreements: int


class Sampled:
    """An engine that lets a reference look at one in many of its questions, afterwards.

    The answer does not wait: questions go to a thread of their own, and when that is behind, no
    more are given to it. There both engines are asked, in one snapshot, so that a write in between
    is not taken for a disagreement.

    Arguments:
        engine: who answers.
        reference: who is asked as well.
        one_in: each how many questions one is taken.
    """

    def __init__(self, engine: Engine, reference: Engine, one_in: int) -> None:
        self.name = engine.name
        self.policy_digest = engine.policy_digest
        self._engine = engine
        self._both = Both(engine, reference)
        self._one_in = one_in
        self._count = 0
        self._asked = 0
        self._disagreements = 0
        self._lock = threading.Lock()
        self._waiting: queue.Queue[tuple[Store, Request, datetime]] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self._engine.find_messages()

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find everything that stands against a request, as the engine does."""
        # not counted under a lock: a number that is lost only shifts the sample
        self._count += 1
        if self._count % self._one_in == 0:
            self._submit(store, request, now)
        return self._engine.reasons(store, request, now)

    def tally(self) -> Tally:
        """Tell what the reference has said so far."""
        with self._lock:
            return Tally(self._asked, self._disagreements)

    def wait(self) -> None:
        """Wait until every question that was taken has been looked at."""
        self._waiting.join()

    def _submit(self, store: Store, request: Request, now: datetime) -> None:
        try:
            self._waiting.put_nowait((store, request, now))
        except queue.Full:
            return
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._compare, name="compare-engines", daemon=True
                    )
                    self._thread.start()

    def _compare(self) -> None:
        while True:
            store, request, now = self._waiting.get()
            try:
                self._both.reasons(store, request, now)
                disagreed = False
            except AuthzError as error:
                disagreed = any(fault.code == "engines_disagree" for fault in error.faults)
                _LOGGER.error("%s; asked: %s", error, request)  # noqa: TRY400  # it says all
            except Exception:  # the thread must go on, whatever a rule runs into
                disagreed = False
                _LOGGER.exception("the engines could not be compared; asked: %s", request)
            with self._lock:
                self._asked += 1
                self._disagreements += disagreed
            self._waiting.task_done()


def _shown(reasons: tuple[str, ...]) -> str:
    return f"deny ({', '.join(reasons)})" if reasons else "allow"
