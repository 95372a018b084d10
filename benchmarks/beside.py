"""How fast questions are decided while actions are performed: `make bench-beside`.

The same questions on the same store are asked alone and beside it, in turns, so that whatever else
the machine does meets both. Those who become administrators are not asked about. Actions are
performed by the thread that asks, between its questions, as in a service of one thread; or by
another process, which writes to the file from outside.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import click
from measure import median, time_rounds
from performing import list_members, make_deed
from portal_store import ROOT, build_performer, make_questions, make_store

from authz_service import assembly
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from multiprocessing.sharedctypes import Synchronized

    from measure import Times
    from portal_store import Question

    from authz_service.decision.answer import Decision
    from authz_service.decision.decider import Decider
    from authz_service.decision.performer import Performer

# The customers with the highest numbers, of which no question is asked.
_KEPT: Final = 20_000
_PATIENCE: Final = 60


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--questions", default=10_000, show_default=True, help="How many are asked a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--rate", default=200, show_default=True, help="Actions a second.")
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, questions: int, rounds: int, rate: int, folder: Path) -> None:
    """Measure single questions alone, and beside the performing of actions."""
    original = make_store(folder, customers)
    asked = make_questions(customers - _KEPT, questions)
    click.echo("| performed | actions/s | p50 µs | p99 µs | alone p50 | p99 | p50 to alone |")
    click.echo("|---|---|---|---|---|---|---|")
    for name, in_place in (
        ("by the thread that asks", True),
        ("by another process", True),
        ("the same, not read in place", False),
    ):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            file = Path(shutil.copyfile(original, Path(scratch) / original.name))
            decider, performer = _build(file, in_place=in_place)
            if name == "by the thread that asks":
                performing: AbstractContextManager[_Performing] = contextlib.nullcontext(
                    _Within(performer, customers, rate)
                )
            else:
                performing = _run_process(file, customers, rate)
            with performing as beside:
                _measure(name, decider, asked, rounds, beside)


def _build(file: Path, *, in_place: bool) -> tuple[Decider, Performer]:
    settings = dataclasses.replace(Settings(), policies=ROOT / "policies")
    engine = assembly.build_compiled(settings, DOMAIN)
    store = open_store(f"sqlite:///{file}", DOMAIN, in_place=in_place)
    decider = assembly.build_decider(engine, DOMAIN, store)
    return decider, assembly.build_performer(engine, DOMAIN, store)


class _Performing(Protocol):
    """Performs at a rate, and can be told to wait."""

    @property
    def count(self) -> int:
        """How many actions there were."""

    def go_on(self) -> None:
        """Perform from now on."""

    def turn(self) -> None:
        """Perform what is due, if that is not done elsewhere; called between the questions."""

    def pause(self) -> None:
        """Wait."""


class _Within:
    """Performs in the thread that asks.

    Arguments:
        performer: with what.
        customers: how many the store has; the last of them are performed on.
        rate: actions a second.
    """

    def __init__(self, performer: Performer, customers: int, rate: int) -> None:
        self._performer = performer
        self._members = list_members(customers - _KEPT, customers)
        self._rate = rate
        self._due = 0.0
        self.count = 0

    def go_on(self) -> None:
        self._due = time.monotonic()

    def turn(self) -> None:
        if self._due and time.monotonic() >= self._due:
            self._performer.perform(make_deed(*next(self._members)))
            self._due += 1 / self._rate
            self.count += 1

    def pause(self) -> None:
        self._due = 0.0


class _Process:
    """A process that performs.

    Arguments:
        file: on which store.
        customers: how many the store has; the last of them are performed on.
        rate: actions a second.
    """

    def __init__(self, file: Path, customers: int, rate: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._may_go = context.Event()
        self._count: Synchronized[int] = context.Value("i", 0)
        arguments = (str(file), customers, rate, self._may_go, self._count)
        self.process = context.Process(target=_perform, args=arguments, daemon=True)

    @property
    def count(self) -> int:
        return self._count.value

    def go_on(self) -> None:
        """Let it perform, and wait until it does."""
        self._may_go.set()
        start, end = self.count, time.monotonic() + _PATIENCE
        while self.count == start and time.monotonic() < end:
            time.sleep(0.01)

    def turn(self) -> None:
        """Nothing: it is done elsewhere."""

    def pause(self) -> None:
        self._may_go.clear()
        time.sleep(0.1)


@contextlib.contextmanager
def _run_process(file: Path, customers: int, rate: int) -> Iterator[_Performing]:
    performing = _Process(file, customers, rate)
    performing.process.start()
    try:
        yield performing
    finally:
        performing.process.kill()
        performing.process.join()


def _perform(
    file: str, customers: int, rate: int, may_go: object, count: Synchronized[int]
) -> None:
    performer = build_performer(Path(file))
    due = time.monotonic()
    for customer, person in list_members(customers - _KEPT, customers):
        may_go.wait()  # type: ignore[attr-defined]  # an event of another context
        # what was missed, as while it waited, is not made up for
        due = max(due + 1 / rate, time.monotonic())
        time.sleep(due - time.monotonic() if due > time.monotonic() else 0)
        performer.perform(make_deed(customer, person))
        count.value += 1


def _measure(
    name: str, decider: Decider, asked: list[Question], rounds: int, performing: _Performing
) -> None:
    """Ask alone and beside the performing, in turns, and tell what it took."""
    requests = [each.request for each in asked]

    def accept(number: int, got: Decision) -> bool:
        performing.turn()
        return got.allowed == asked[number].allowed

    alone: list[Times] = []
    beside: list[Times] = []
    seconds, performed = 0.0, 0
    for _ in range(rounds):
        alone += time_rounds(decider.check, requests, 1, accept)
        performing.go_on()
        started, before = time.monotonic(), performing.count
        beside += time_rounds(decider.check, requests, 1, accept)
        seconds += time.monotonic() - started
        performed += performing.count - before
        performing.pause()
    base, p50 = median(alone, 50), median(beside, 50)
    click.echo(
        f"| {name} | {performed / seconds:,.0f} | {p50:.1f} | {median(beside, 99):.1f}"
        f" | {base:.1f} | {median(alone, 99):.1f} | {p50 / base:.2f} x |"
    )


if __name__ == "__main__":
    main()
