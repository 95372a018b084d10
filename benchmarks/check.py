"""How fast questions are decided, in process: `make bench` runs this.

Every answer is compared with the known one; a wrong answer ends the run. Times are of
`Decider.check` by ids, each call on its own, and of `Decider.check_many`, by the decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from cedar import build_cedar, write_requests
from measure import Times, median, time_rounds
from portal_store import ROOT, build_decider, make_questions, make_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal_store import Question

_BATCH: Final = 1_000


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--questions", default=10_000, show_default=True, help="How many are asked a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--others", default=1_000, show_default=True, help="Customers for oso and cedarpy.")
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, questions: int, rounds: int, others: int, folder: Path) -> None:
    """Measure single questions and batches, beside oso and cedarpy."""
    plan = [
        ("compiled", customers, questions, _start_compiled),
        ("cedarpy, in memory", others, questions, _start_cedar),
        ("oso", others, min(questions, 2_000), _start_oso),
    ]
    click.echo("| engine | customers | p50 µs | p99 µs | denials p50 µs | p50 to compiled |")
    click.echo("|---|---|---|---|---|---|")
    base = 0.0
    for name, size, count, start in plan:
        row = _measure(start(size, folder), make_questions(size, count), rounds)
        base = base or row.p50
        figures = f"{row.p50:.1f} | {row.p99:.1f} | {row.denied:.1f} | {row.p50 / base:.1f} x"
        click.echo(f"| {name} | {size:,} | {figures} |")
    each = _measure_batches(customers, questions, rounds, folder)
    click.echo(f"\n{_BATCH:,} questions together: {each:.1f} µs a decision")


@dataclass(frozen=True)
class Row:
    """What an engine took, in microseconds."""

    p50: float
    p99: float
    denied: float


@dataclass(frozen=True)
class Contender:
    """Something that decides: how it takes questions, and what it does with one."""

    write: Callable[[Sequence[Question]], Sequence[Any]]
    ask: Callable[[Any], Any]


def _start_compiled(customers: int, folder: Path) -> Contender:
    decider = build_decider("compiled", make_store(folder, customers))
    return Contender(lambda asked: [each.request for each in asked], decider.check)


def _start_oso(customers: int, folder: Path) -> Contender:
    decider = build_decider("oso", make_store(folder, customers))
    return Contender(lambda asked: [each.request for each in asked], decider.check)


def _start_cedar(customers: int, _folder: Path) -> Contender:
    return Contender(write_requests, build_cedar(customers))


def _measure(contender: Contender, asked: Sequence[Question], rounds: int) -> Row:
    found = time_rounds(
        contender.ask,
        contender.write(asked),
        rounds,
        lambda number, decision: bool(decision.allowed) is asked[number].allowed,
    )
    denied = [
        Times(tuple(t for t, each in zip(times.calls, asked, strict=True) if not each.allowed))
        for times in found
    ]
    return Row(median(found, 50), median(found, 99), median(denied, 50))


def _measure_batches(customers: int, questions: int, rounds: int, folder: Path) -> float:
    decider = build_decider("compiled", make_store(folder, customers))
    asked = make_questions(customers, questions)
    batches = [asked[start : start + _BATCH] for start in range(0, questions, _BATCH)]
    found = time_rounds(
        decider.check_many,
        [[each.request for each in batch] for batch in batches],
        rounds,
        lambda number, decisions: (
            [each.allowed for each in decisions] == [each.allowed for each in batches[number]]
        ),
    )
    return median(found, 50) / _BATCH


if __name__ == "__main__":
    main()
