"""Many mutants tried, by one process or several, each with stores of its own."""

from __future__ import annotations

import multiprocessing
import signal
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from authz_service import assembly, storage
from authz_service.errors import AuthzError, UnavailableError
from authz_service.mutation.judge import Judge, Judgement
from authz_service.mutation.suite import Suite
from authz_service.scenario.case import load_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from authz_service.errors import Fault
    from authz_service.mutation.mutant import Mutant
    from authz_service.settings import Settings


@dataclass(frozen=True)
class Campaign:
    """How mutants are tried.

    Arguments:
        settings: the policies as they are, the domain, and where the fixtures are.
        files: the scenarios.
        actions: the only ones to look at; all of them if none is named.
        all_killers: whether to look for every scenario that kills a mutant.
        deadline: when no further mutant is begun, in seconds of the monotonic clock.
    """

    settings: Settings
    files: tuple[Path, ...]
    actions: tuple[str, ...]
    all_killers: bool
    deadline: float

    def run(self, mutants: Sequence[Mutant], processes: int) -> Iterator[Judgement]:
        """Try mutants; what comes of them comes in any order.

        Raises:
            ScenarioError: when something is not as a scenario expects before anything is changed.
            UnavailableError: when a process ends before its work is done.
            AuthzError: when the policies, the domain or a scenario cannot be used.
        """
        if processes == 1:
            yield from self.try_all(mutants)
            return
        context = multiprocessing.get_context("spawn")
        shares = [mutants[number::processes] for number in range(processes)]
        pipes = [context.Pipe(duplex=False) for _ in shares]
        workers = [
            context.Process(target=_work, args=(self, share, there), daemon=True)
            for share, (_, there) in zip(shares, pipes, strict=True)
        ]
        try:
            for each, (_, there) in zip(workers, pipes, strict=True):
                each.start()
                there.close()  # so that it is known here when the worker ends
            yield from _receive([here for here, _ in pipes])
        finally:
            for each in workers:
                each.terminate()
                each.join()

    def try_all(self, mutants: Sequence[Mutant]) -> Iterator[Judgement]:
        """Try mutants in this process; raises as above."""
        domain = storage.find_domain(self.settings.domain)
        engine = assembly.build_compiled(self.settings, domain)
        scenarios = [load_scenario(each) for each in self.files]
        with closing(Suite(self.settings, engine, scenarios)) as suite:
            judge = Judge(
                engine,
                domain,
                suite,
                time.monotonic,
                actions=self.actions,
                all_killers=self.all_killers,
            )
            for each in mutants:
                if time.monotonic() > self.deadline:
                    return
                yield judge.judge(each)


# What a worker sends: what became of a mutant, what it cannot go on for, or that it is done.
_Sent = Judgement | tuple[type[AuthzError], tuple["Fault", ...]] | None


def _work(campaign: Campaign, mutants: Sequence[Mutant], pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    try:
        for each in campaign.try_all(mutants):
            pipe.send(each)
        pipe.send(None)
    except AuthzError as error:
        pipe.send((type(error), error.faults))


def _receive(pipes: list[Connection]) -> Iterator[Judgement]:
    while pipes:
        ready = wait(pipes)
        for pipe in [each for each in pipes if each in ready]:
            try:
                sent: _Sent = pipe.recv()
            except EOFError:
                message = "a process ended before its work was done; is there memory enough?"
                raise UnavailableError.at("--jobs", "process_ended", message) from None
            if sent is None:
                pipes.remove(pipe)
            elif isinstance(sent, Judgement):
                yield sent
            else:
                kind, faults = sent
                raise kind(faults)
