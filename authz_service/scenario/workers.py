"""Work done by several processes: what each gives, in the order in which it was to be done."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Generic, TypeVar

from authz_service.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from multiprocessing.connection import Connection

T = TypeVar("T")


def count_cores() -> int:
    """Count the cores that this process may use."""
    find = getattr(os, "sched_getaffinity", None)
    return len(find(0)) if find else os.cpu_count() or 1


def work_in_processes(
    work: Callable[[int], T], count: int, processes: int, lose: Callable[[int, str], T]
) -> Generator[T]:
    """Do numbered pieces of work in several processes; none of them outlives the iteration.

    Arguments:
        work: does the piece with a number; what it gives is sent to this process.
        count: how many pieces there are.
        processes: how many do them at once.
        lose: gives something instead for a piece whose process was ended, and how it was.

    Raises:
        SettingError: where processes cannot be forked.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise SettingError.at("--jobs", "no_fork", "this system forks no processes; leave it out")
    crew = _Crew(work, lose)
    waiting, done = deque(range(count)), dict[int, T]()
    try:
        for _ in range(min(processes, count)):
            crew.hire(waiting.popleft())
        for number in range(count):
            while number not in done:
                for finished, given in crew.wait():
                    done[finished] = given
                    if waiting:
                        crew.hire(waiting.popleft())
            yield done.pop(number)
    finally:
        crew.dismiss()


class _Crew(Generic[T]):
    """Processes that work, and those that wait for more.

    Arguments:
        work, lose: as above.
    """

    def __init__(self, work: Callable[[int], T], lose: Callable[[int, str], T]) -> None:
        self._work = work
        self._lose = lose
        self._busy: dict[Connection, tuple[_Worker[T], int]] = {}
        self._idle: list[_Worker[T]] = []

    def hire(self, number: int) -> None:
        """Give a piece of work to a process that waits, or to a new one."""
        worker = self._idle.pop() if self._idle else _Worker(self._work)
        worker.connection.send(number)
        self._busy[worker.connection] = worker, number

    def wait(self) -> Iterator[tuple[int, T]]:
        """Wait until something is done, or lost; give it with its number."""
        ready = wait(list(self._busy))
        for each in [each for each in self._busy if each in ready]:
            worker, number = self._busy.pop(each)
            try:
                given = worker.connection.recv()
            except (EOFError, OSError):
                yield number, self._lose(number, worker.mourn())
            else:
                self._idle.append(worker)
                yield number, given

    def dismiss(self) -> None:
        """End all processes, whatever they do."""
        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            worker.end()


class _Worker(Generic[T]):
    """A process that does one piece of work after the other.

    Arguments:
        work: as above; with all that it needs it is there already, for the process is a fork.
    """

    def __init__(self, work: Callable[[int], T]) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_do_work, args=(work, theirs, self.connection), daemon=True
        )
        self._process.start()
        theirs.close()

    def mourn(self) -> str:
        """Say how the process ended, of which nothing is heard any more."""
        self._process.join()
        code = self._process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def end(self) -> None:
        """End the process, whatever it does."""
        self.connection.close()
        self._process.terminate()
        self._process.join()


def _do_work(work: Callable[[int], T], connection: Connection, other_end: Connection) -> None:
    """Do what comes until nothing can come any more, whoever else was told to stop."""
    other_end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # whoever asks may be gone
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send(work(connection.recv()))
