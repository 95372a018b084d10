"""What takes the decisions of a process, and hands them to the one thread that writes them.

`strict`: an answer waits until its decision is on the disk; those that wait together are committed
together. `buffered`: decisions are taken into memory, up to a bound, and written ten times a
second; where there is no room, an answer waits, and is refused in the end. Nothing is ever left out
in silence: how many decisions may be in memory is on the disk before they are taken there.

How many are let in before the next write follows how many there were: four times as many, within
bounds. So a process that is killed while little was asked leaves little in doubt.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Final

from authz_service.decision.entry import Kind, Written, write_noted, write_rows
from authz_service.errors import StoreError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from authz_service.decision.entry import About, Noted
    from authz_service.decision.redaction import Redaction
    from authz_service.decision.scribe import Scribe
    from authz_service.policy.engine import Finding
    from authz_service.policy.request import Request

_LOGGER: Final = logging.getLogger(__name__)
_INTERVAL: Final = 0.1
# What is let in after a quiet time: a usual batch.
_LEAST_ROOM: Final = 1_000


@dataclass(frozen=True)
class LogTerms:
    """How decisions are taken.

    Arguments:
        is_strict: whether an answer waits until its decision is on the disk.
        most: how many decisions may be in memory.
        wait: seconds that an answer waits for room, or for the disk, before it is refused.
    """

    is_strict: bool
    most: int
    wait: float


class DecisionLog:
    """Takes decisions; a thread of its own writes them.

    Safe to share between threads. The thread begins with the first decision, and ends with `close`
    or with the program; what was taken by then is written.

    Arguments:
        scribe: writes them.
        terms: how they are taken.
        clock: tells the time, with its zone.
        redaction: what is left out; None for nothing.

    Attributes:
        count: counts nanoseconds, for how long a decision took.
    """

    def __init__(
        self,
        scribe: Scribe,
        terms: LogTerms,
        clock: Callable[[], datetime],
        redaction: Redaction | None = None,
    ) -> None:
        self.count = time.perf_counter_ns
        self._clock = clock
        self._redaction = redaction
        self._scribe = scribe
        self._terms = terms
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._noted: list[Noted] = []
        self._many: list[Written] = []
        # decisions so far: taken, those of them on the disk, and how many may be taken by now
        self._taken = 0
        self._written = 0
        self._allowed = 0
        # with this many the thread is woken before its time
        self._early = self._find_early(0)
        self._wanted = 0
        self._is_hurried = False
        self._is_stuck = False
        self._is_failing = False
        self._is_ending = False
        self._thread: threading.Thread | None = None

    def note(  # noqa: PLR0913, PLR0917  # what an entry has
        self,
        about: About,
        kind: Kind,
        started: int,
        client: str,
        request: Request,
        finding: Finding,
        found: int | None = None,
    ) -> None:
        """Take a decision, before its answer leaves.

        Arguments:
            about: by which policies and engine it was made.
            kind: how it was asked for.
            started: what `count` gave before.
            client: the name of the API key; empty for none.
            request: what was asked.
            finding: what was found.
            found: how many a search found.

        Raises:
            UnavailableError: when there is no room for it, or it is not on the disk in time.
        """
        took, at = self.count() - started, self._clock()
        with self._lock:
            if self._taken >= self._allowed:
                self._wait_for_room(1)
            self._noted.append((about, kind, at, took, client, request, finding, found))
            self._taken += 1
            if self._taken >= self._early:
                self._hurry_on()

    def note_many(
        self,
        about: About,
        started: int,
        client: str,
        requests: Sequence[Request],
        findings: Sequence[Finding],
    ) -> None:
        """Take decisions that were made together; as above."""
        if not requests:
            return
        # they are written here, while the processor still has them at hand
        took, at = (self.count() - started) // (1_000 * len(requests)), self._clock()
        subjects, actions, resources, given, supplied = zip(*requests, strict=True)
        asked = subjects, actions, resources, given, [each or None for each in supplied]
        same = map(repeat, (Kind.CHECK, at, took, client, None))
        rows = list(zip(*same, *asked, findings, strict=False))
        written = Written(about, at, at, write_rows(rows, self._redaction))
        with self._lock:
            if self._taken + len(rows) > self._allowed:
                self._wait_for_room(len(rows))
            self._many.append(written)
            self._taken += len(rows)
            if self._taken >= self._early:
                self._hurry_on()

    def close(self, seconds: float | None = None) -> None:
        """Write what was taken, and end.

        Arguments:
            seconds: how long that may take; None for as long as it does.
        """
        with self._lock:
            self._is_ending = True
            self._hurry()
        if self._thread:
            self._thread.join(seconds)

    def _wait_for_room(self, count: int) -> None:
        if self._thread is None:
            self._start()
        self._wait(lambda: self._taken + count <= self._allowed, count)

    def _hurry_on(self) -> None:
        """Have written soon what was taken; in the strict way, wait for it."""
        if self._terms.is_strict:
            number = self._taken
            self._wait(lambda: number <= self._written, 0)
        else:
            self._hurry()

    def _wait(self, holds: Callable[[], bool], wanted: int) -> None:
        """Wait for the thread; once that took too long, nobody waits until it has written again."""
        end = time.monotonic() + self._terms.wait
        while not holds():
            left = end - time.monotonic()
            if self._is_stuck or self._is_ending or left <= 0:
                self._is_stuck = True
                message = (
                    "the decision log cannot be written, so nothing is decided; the log of the"
                    " service says why"
                )
                raise UnavailableError.at("the decision log", "log_unavailable", message)
            self._wanted = max(self._wanted, wanted)
            self._hurry()
            self._changed.wait(left)

    def _hurry(self) -> None:
        """Wake the thread before its time."""
        self._early = self._find_early(self._allowed)
        self._is_hurried = True
        self._changed.notify_all()

    def _start(self) -> None:
        # said outright, for it would be as the thread that asks: a server's are not waited for
        self._thread = threading.Thread(target=self._run, name="log-decisions", daemon=False)
        self._thread.start()

    def _run(self) -> None:
        """Write again and again: the work of the thread, until the program ends."""
        main = threading.main_thread()
        while main.is_alive() and not self._is_ending:
            with self._changed:
                if not self._is_hurried:
                    self._changed.wait(_INTERVAL)
            self._try()
        with self._changed:
            self._is_ending = True
            self._allowed = self._taken
        self._try()
        try:
            self._scribe.close()
        except StoreError as error:
            _LOGGER.error("the decision log cannot be closed: %s", error)  # noqa: TRY400  # one line

    def _try(self) -> None:
        try:
            self._write()
            self._is_failing = False
        except StoreError as error:
            if not self._is_failing:
                _LOGGER.error("decisions cannot be written: %s", error)  # noqa: TRY400  # one line
            self._is_failing = True
            time.sleep(_INTERVAL)

    def _write(self) -> None:
        """Write what was taken, and let in as many again."""
        with self._changed:
            noted, self._noted = self._noted, []
            written, self._many = self._many, []
            upto, wanted = self._taken, self._wanted
            self._is_hurried, self._wanted = False, 0
            count = upto - self._written
            if not count and not wanted:
                self._rest()
                return
            room = 0 if self._is_ending else self._find_room(count, wanted)
            self._allowed = min(self._allowed, upto + room)
        try:
            self._scribe.write([*written, *write_noted(noted, self._redaction)], room)
        except StoreError:
            with self._changed:  # who waits for room still does
                self._wanted = max(self._wanted, wanted)
            raise
        with self._changed:
            self._written, self._allowed = upto, upto + room
            self._early = self._find_early(upto + room // 2)
            self._is_stuck = False
            self._changed.notify_all()

    def _find_room(self, count: int, wanted: int) -> int:
        """Find how many to let in; a batch that is larger than the bound is let in alone."""
        return max(min(max(_LEAST_ROOM, 4 * count), self._terms.most), wanted)

    def _find_early(self, number: int) -> int:
        """Find with how many decisions the thread is woken: in the strict way, with each."""
        return 0 if self._terms.is_strict else number

    def _rest(self) -> None:
        """End a segment that is old, while nothing is taken; nothing may be until the next."""
        if self._scribe.is_old():
            self._allowed = self._taken
            self._scribe.close_segment()
