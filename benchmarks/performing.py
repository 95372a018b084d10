"""How fast actions are performed on a SQLite file: `make bench-perform`.

Members of different companies become administrators, each a transaction of its own that is on the
disk before the answer is given: the role, the line in the feed, and an e-mail to the administrator
that the company has.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from portal_store import ROOT, build_performer, make_store

from authz_service.decision.performer import Deed
from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.performer import Performer

_WEB: Final = Said(context={"channel": "web"})


@click.command()
@click.option("--customers", default=10_000, show_default=True, help="How large the store is.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="How long a round takes.")
@click.option("--threads", default=[1, 4, 16], multiple=True, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(
    customers: int, rounds: int, seconds: float, threads: tuple[int, ...], folder: Path
) -> None:
    """Measure how many actions are performed in a second, by some threads of one process."""
    original = make_store(folder, customers)
    click.echo("| threads | performed/s | p50 ms | p99 ms |")
    click.echo("|---|---|---|---|")
    for count in threads:
        found = [_measure(original, customers, count, seconds) for _ in range(rounds)]
        rate, p50, p99 = (statistics.median(values) for values in zip(*found, strict=True))
        click.echo(f"| {count} | {rate:,.0f} | {p50:.2f} | {p99:.2f} |")


def _measure(
    original: Path, customers: int, threads: int, seconds: float
) -> tuple[float, float, float]:
    """Perform for some time on a copy of the store; performed a second, p50 and p99 in ms."""
    with tempfile.TemporaryDirectory(dir=original.parent) as folder:
        file = Path(folder) / original.name
        shutil.copyfile(original, file)
        performer = build_performer(file)
        members = list_members(0, customers)
        times: list[float] = []
        end = time.monotonic() + seconds
        workers = [
            threading.Thread(target=_work, args=(performer, members, end, times))
            for _ in range(threads)
        ]
        started = time.monotonic()
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        took = time.monotonic() - started
    ordered = sorted(times)
    p50, p99 = (1_000 * ordered[len(ordered) * part // 100] for part in (50, 99))
    return len(times) / took, p50, p99


def list_members(start: int, end: int) -> Iterator[tuple[str, str]]:
    """Go through the users of some companies, by their numbers, each once."""
    everybody = itertools.product(range(1, 4), range(start, end))
    return iter([(f"c{number}", f"p{number}-{each}") for each, number in everybody])


def make_deed(customer: str, person: str) -> Deed:
    """Make the deed by which a user becomes an administrator."""
    asked = Reference("person", person), "become_administrator", Reference("customer", customer)
    return Deed(build_request(DOMAIN.schema, *asked, _WEB))


def _work(
    performer: Performer, members: Iterator[tuple[str, str]], end: float, times: list[float]
) -> None:
    while time.monotonic() < end:
        customer, person = next(members)
        deed = make_deed(customer, person)
        started = time.monotonic()
        performed = performer.perform(deed)
        times.append(time.monotonic() - started)
        if not performed.decision.allowed:
            raise SystemExit(f"{person} was denied: {performed.decision.reasons}")


if __name__ == "__main__":
    main()
