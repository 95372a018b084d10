"""Two engines held against each other: on every question, or on a sample beside the answers."""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.errors import AuthzError, EvaluationTimeoutError, PolicyError, StoreError
from authz_service.policy.engine import Reasoning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.engine import Engine, Finding
    from authz_service.policy.request import Page, Request
    from authz_service.store.database import Store

_LOGGER: Final = logging.getLogger(__name__)
_MOST_WAITING: Final = 100
# How much longer the thread that compares rests than it works.
_REST: Final = 99


class Both(Reasoning):
    """An engine that asks two others and answers only what they agree on.

    Arguments:
        engine: whose answer it is.
        reference: who has to agree.
    """

    name: Final = "both"

    def __init__(self, engine: Engine, reference: Engine) -> None:
        self.policies = engine.policies
        self.policy_digest = engine.policy_digest
        self.engine = engine
        self._reference = reference

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self.engine.find_messages()

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Find everything that stands against a request, from one state of the store.

        Raises:
            PolicyError: when the two disagree, on the decision or on any reason, or one alone
                fails to decide.
            EvaluationTimeoutError: when it takes either longer than its time limit.
            StoreError: when the database cannot answer.
            Exception: whatever else kept both from deciding.
        """
        with store.snapshot():
            found = _try(self.engine, store, request, now)
            wanted = _try(self._reference, store, request, now)
        if isinstance(found, Exception) and isinstance(wanted, Exception):
            raise found
        if isinstance(found, Exception) or isinstance(wanted, Exception) or _differ(found, wanted):
            said = f"{self.engine.name} {_shown(found)}, {self._reference.name} {_shown(wanted)}"
            raise _disagree(said)
        return found

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Find the same for several requests, which must not depend on asking them together.

        Raises:
            PolicyError: as above.
            Exception: as above.
        """
        with store.snapshot():
            together = self.engine.decide_many(store, requests, now)
            alone = [self.decide(store, each, now) for each in requests]
        for first, second in zip(together, alone, strict=True):
            if _differ(first, second):
                name = self.engine.name
                raise _disagree(f"{name} {_shown(second)} alone, {_shown(first)} among others")
        return alone

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Find the ids with which a request would be allowed, as the engine does.

        Raises:
            PolicyError: when the reference finds others.
            Exception: whatever kept either from finding them.
        """
        with store.snapshot():
            found = self.engine.search(store, request, searched, page, now)
            wanted = self._reference.search(store, request, searched, page, now)
        if found != wanted:
            others = sorted({*found} ^ {*wanted})
            raise _disagree(
                f"only one of {self.engine.name} and {self._reference.name} finds {others}"
            )
        return found


@dataclass(frozen=True)
class Tally:
    """How often the reference was asked, and how often it disagreed."""

    asked: int
    disagreements: int


_Asked = tuple["Store", "Request", "datetime"]


class Sampled(Reasoning):
    """An engine that lets a reference look at one in many of its questions, afterwards.

    The answer does not wait: questions go to a thread of their own, and when that is behind, no
    more are given to it. There both engines are asked, in one snapshot, so that a write in between
    is not taken for a disagreement. While that thread works, answers wait for the interpreter; so
    it works one hundredth of the time, and what is sampled beyond that is left out.

    Arguments:
        engine: who answers.
        reference: who is asked as well.
        one_in: each how many questions one is taken.
    """

    def __init__(self, engine: Engine, reference: Engine, one_in: int) -> None:
        self.name = engine.name
        self.policies = engine.policies
        self.policy_digest = engine.policy_digest
        self.engine = engine
        self._both = Both(engine, reference)
        self._one_in = one_in
        self._count = 0
        self._asked = 0
        self._disagreements = 0
        self._lock = threading.Lock()
        self._is_closed = False
        self._waiting: queue.Queue[_Asked | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self.engine.find_messages()

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Find everything that stands against a request, as the engine does."""
        # not counted under a lock: a number that is lost only shifts the sample
        self._count += 1
        if self._count % self._one_in == 0:
            self._submit(store, request, now)
        return self.engine.decide(store, request, now)

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Find the same for several requests, as the engine does."""
        first = self._one_in - 1 - self._count % self._one_in
        self._count += len(requests)
        for request in requests[first :: self._one_in]:
            self._submit(store, request, now)
        return self.engine.decide_many(store, requests, now)

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Find the ids with which a request would be allowed, as the engine does."""
        return self.engine.search(store, request, searched, page, now)

    def tally(self) -> Tally:
        """Tell what the reference has said so far."""
        with self._lock:
            return Tally(self._asked, self._disagreements)

    def wait(self) -> None:
        """Wait until every question that was taken has been looked at."""
        self._waiting.join()

    def close(self) -> None:
        """Take no more questions, and let the thread end that compares."""
        self._is_closed = True
        with suppress(queue.Full):  # then it sees after the next one
            self._waiting.put_nowait(None)

    def _submit(self, store: Store, request: Request, now: datetime) -> None:
        if self._is_closed:
            return
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
        while not self._is_closed:
            asked = self._waiting.get()
            if asked is None:
                return
            store, request, now = asked
            started = time.thread_time()
            try:
                self._both.decide(store, request, now)
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
            time.sleep(_REST * (time.thread_time() - started))


def _try(engine: Engine, store: Store, request: Request, now: datetime) -> Finding | Exception:
    """Ask an engine; what a rule runs into is its answer, what the database does is not."""
    try:
        return engine.decide(store, request, now)
    except (EvaluationTimeoutError, StoreError):
        raise
    except Exception as error:  # noqa: BLE001  # compared with what the other engine says
        return error


def _disagree(said: str) -> PolicyError:
    return PolicyError.at("the engines", "engines_disagree", said)


def _differ(first: Finding, second: Finding) -> bool:
    """Tell whether two answers differ; which rules decided, not every engine knows."""
    return first.reasons != second.reasons


def _shown(answer: Finding | Exception) -> str:
    if isinstance(answer, Exception):
        return f"fails ({answer})"
    return f"says deny ({', '.join(answer.reasons)})" if answer.reasons else "says allow"
