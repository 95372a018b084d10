"""Writing by many at once: pieces of work that wait together are committed together.

A commit waits for the disk, and that is nearly all that a small write costs. So whoever comes first
commits not only its own piece of work but all that have queued up behind it, each in a savepoint of
one transaction: what fails takes nothing with it but itself. Nobody is told that a piece of work is
done before it is on the disk.

A piece of work may be run more than once, when the database breaks off a transaction for the sake
of another one; only what its last run wrote stays.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from authz_service.errors import StoreConflictError, StoreError
from authz_service.store.writer import Writer, hold_revision, keep_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from authz_service.store.database import Store
    from authz_service.store.writer import Cause

T = TypeVar("T")

_MOST_TOGETHER: Final = 256
_TRIES: Final = 5


@dataclass
class _Job:
    """A piece of work, and what came of it."""

    cause: Cause
    work: Callable[[Writer], Any]
    wake: threading.Event = field(default_factory=threading.Event)
    is_done: bool = False
    result: Any = None
    error: BaseException | None = field(default=None)

    def succeed(self, result: Any) -> None:
        self.result, self.error = result, None

    def fail(self, error: BaseException) -> None:
        self.result, self.error = None, error


class Committer:
    """Runs pieces of work on one store, each as a whole or not at all.

    Safe to share between threads.

    Arguments:
        store: where they write.
        clock: tells the time, with its zone.

    Attributes:
        waiting: pieces of work for the next commit.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self.waiting: list[_Job] = []
        self._is_led = False
        self._queue = threading.Lock()

    def run(self, cause: Cause, work: Callable[[Writer], T]) -> T:
        """Run a piece of work, and wait until it is on the disk.

        Arguments:
            cause: why it writes.
            work: writes, and gives back what the caller is told. It must not change anything but
                the store, for it may be run again.

        Raises:
            StoreError: when the database cannot write; nothing of it stays.
            Exception: what the work itself raises; nothing of it stays.
        """
        job = _Job(cause, work)
        if not self._enqueue(job):
            job.wake.wait()
        if not job.is_done:
            self._lead(job)
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def _enqueue(self, job: _Job) -> bool:
        """Queue a job; tell whether nobody leads, so that its thread has to."""
        with self._queue:
            self.waiting.append(job)
            was_led, self._is_led = self._is_led, True
            return not was_led

    def _lead(self, job: _Job) -> None:
        """Commit what waits until the own job is done; then the next that waits leads on."""
        try:
            while not job.is_done:
                self._commit(self._take())
        finally:
            with self._queue:
                self._is_led = bool(self.waiting)
                if self.waiting:
                    self.waiting[0].wake.set()

    def _take(self) -> Sequence[_Job]:
        with self._queue:
            taken = self.waiting[:_MOST_TOGETHER]
            del self.waiting[:_MOST_TOGETHER]
        return taken

    def _commit(self, jobs: Sequence[_Job]) -> None:
        """Run jobs in one transaction; where that fails as a whole, all of them failed."""
        try:
            self._try_often(jobs)
        except BaseException as error:
            for each in jobs:
                each.fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            for each in jobs:
                each.is_done = True
                each.wake.set()

    def _try_often(self, jobs: Sequence[_Job]) -> None:
        for _ in range(_TRIES - 1):
            try:
                self._try(jobs)
            except StoreConflictError:
                continue
            return
        self._try(jobs)

    def _try(self, jobs: Sequence[_Job]) -> None:
        with self._store.transaction():
            revision = hold_revision(self._store)
            now = self._clock()  # while nobody else writes, so that times follow revisions
            for each in jobs:
                revision = self._run(each, now, revision)
            keep_revision(self._store, revision)

    def _run(self, job: _Job, now: datetime, revision: int) -> int:
        """Run a job in a savepoint, and find the revision behind it."""
        writer = Writer(self._store, job.cause, now, revision)
        try:
            with self._store.transaction():
                job.succeed(job.work(writer))
                writer.finish()
        except StoreError:  # the transaction as a whole is lost
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the caller's
            job.fail(error)
            return revision
        return writer.revision
