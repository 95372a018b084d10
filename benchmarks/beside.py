"""How fast questions are decided while another process performs actions: `make bench-beside`.

The same questions on the same store are asked alone and beside it, in turns, so that whatever else
the machine does meets both. Those who become administrators are not asked about.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from measure import median, time_rounds
from performing import list_members, make_deed
from portal_store import ROOT, build_decider, build_performer, make_questions, make_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.sharedctypes import Synchronized

    from measure import Times

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
    """Measure single questions alone, and beside a process that performs actions."""
    original = make_store(folder, customers)
    asked = make_questions(customers - _KEPT, questions)
    alone: list[Times] = []
    beside: list[Times] = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        file = Path(scratch) / original.name
        shutil.copyfile(original, file)
        check = build_decider("compiled", file).check
        requests = [each.request for each in asked]

        def measure() -> Times:
            [found] = time_rounds(
                check, requests, 1, lambda number, got: got.allowed == asked[number].allowed
            )
            return found

        with _performing(file, customers, rate) as performer:
            for _ in range(rounds):
                performer.pause()
                alone.append(measure())
                performer.go_on()
                beside.append(measure())
    _tell(alone, beside, performer)


class _Performer:
    """A process that performs at a rate, and can be told to wait.

    Arguments:
        file: on which store.
        customers: how many the store has; the last of them are performed on.
        rate: actions a second.
    """

    def __init__(self, file: Path, customers: int, rate: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._may_go = context.Event()
        self._count: Synchronized[int] = context.Value("i", 0)
        self._performed = 0
        self._seconds = 0.0
        self._since = 0.0
        arguments = (str(file), customers, rate, self._may_go, self._count)
        self.process = context.Process(target=_perform, args=arguments, daemon=True)

    @property
    def rate(self) -> float:
        """How many actions were performed a second, while it did not wait."""
        return self._performed / self._seconds

    def go_on(self) -> None:
        """Let it perform."""
        self._may_go.set()
        start = self._count.value
        end = time.monotonic() + _PATIENCE
        while self._count.value == start and time.monotonic() < end:
            time.sleep(0.01)
        self._since, self._start = time.monotonic(), self._count.value

    def pause(self) -> None:
        """Let it wait."""
        if self._since:
            self._seconds += time.monotonic() - self._since
            self._performed += self._count.value - self._start
        self._may_go.clear()
        time.sleep(0.1)


@contextlib.contextmanager
def _performing(file: Path, customers: int, rate: int) -> Iterator[_Performer]:
    performer = _Performer(file, customers, rate)
    performer.process.start()
    try:
        yield performer
        performer.pause()
    finally:
        performer.process.kill()
        performer.process.join()


def _perform(
    file: str, customers: int, rate: int, may_go: object, count: Synchronized[int]
) -> None:
    performer = build_performer(Path(file))
    due = time.monotonic()
    for customer, person in itertools.islice(list_members(customers - _KEPT, customers), None):
        may_go.wait()  # type: ignore[attr-defined]  # an event of another context
        # what was missed, as while it waited, is not made up for
        due = max(due + 1 / rate, time.monotonic())
        time.sleep(due - time.monotonic() if due > time.monotonic() else 0)
        performer.perform(make_deed(customer, person))
        count.value += 1


def _tell(alone: list[Times], beside: list[Times], performer: _Performer) -> None:
    click.echo("| asked | p50 µs | p99 µs | to alone |")
    click.echo("|---|---|---|---|")
    base = median(alone, 50)
    for name, found in (("alone", alone), (f"beside {performer.rate:,.0f} actions/s", beside)):
        p50, p99 = median(found, 50), median(found, 99)
        click.echo(f"| {name} | {p50:.1f} | {p99:.1f} | {p50 / base:.2f} x |")


if __name__ == "__main__":
    main()
