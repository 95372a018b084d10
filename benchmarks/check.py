"""How fast one question is decided, in process: `make bench` runs this.

Every answer is compared with the known one; a wrong answer ends the run. Times are of
`Decider.check` by ids, each call on its own, after a warm-up; medians of the rounds.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from portal_store import make_questions, make_store

from authz_service import assembly
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store

if TYPE_CHECKING:
    from portal_store import Question

    from authz_service.decision.decider import Decider

_ROOT: Final = Path(__file__).parent.parent


@dataclass(frozen=True)
class Round:
    """What one pass over the questions took, in microseconds."""

    times: tuple[float, ...]
    denials: tuple[float, ...]


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--questions", default=10_000, show_default=True, help="How many are asked a round.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--oso-customers", default=1_000, show_default=True, help="The store that oso gets.")
@click.option("--folder", type=click.Path(path_type=Path), default=_ROOT / "var" / "benchmarks")
def main(customers: int, questions: int, rounds: int, oso_customers: int, folder: Path) -> None:
    """Measure Decider.check on both engines."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        _measure("compiled", customers, questions, rounds, folder),
        _measure("oso", oso_customers, min(questions, 2_000), rounds, folder),
    ]
    click.echo("| engine | customers | decisions/s | p50 µs | p99 µs | denials p50 µs |")
    click.echo("|---|---|---|---|---|---|")
    for row in rows:
        click.echo(row.line)
    click.echo(f"compiled is {rows[0].rate / rows[1].rate:.1f} times as fast as oso")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    line: str
    rate: float


def _measure(engine: str, customers: int, count: int, rounds: int, folder: Path) -> Row:
    path = folder / f"portal-{customers}.db"
    make_store(path, customers)
    settings = dataclasses.replace(
        Settings(), policies=_ROOT / "policies", engine=engine, time_limit=60_000, sample=0
    )
    store = open_store(f"sqlite:///{path}", DOMAIN)
    decider = assembly.build_decider(assembly.build_engine(settings, DOMAIN), DOMAIN, store)
    asked = make_questions(customers, count)
    _pass(decider, asked[: count // 5])
    passes = [_pass(decider, asked) for _ in range(rounds)]
    store.close()
    rate = statistics.median(1e6 * len(each.times) / sum(each.times) for each in passes)
    p50, p99 = (
        statistics.median(_percentile(each.times, share) for each in passes) for share in (50, 99)
    )
    denied = statistics.median(_percentile(each.denials, 50) for each in passes)
    line = f"| {engine} | {customers:,} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {denied:.1f} |"
    return Row(line, rate)


def _pass(decider: Decider, questions: list[Question]) -> Round:
    times, denials = [], []
    for question in questions:
        start = time.perf_counter_ns()
        decision = decider.check(question.request)
        taken = (time.perf_counter_ns() - start) / 1_000
        if decision.allowed is not question.allowed:
            sys.exit(f"wrong answer: {question} got {decision}")
        times.append(taken)
        if not decision.allowed:
            denials.append(taken)
    return Round(tuple(times), tuple(denials))


def _percentile(values: tuple[float, ...], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


if __name__ == "__main__":
    main()
