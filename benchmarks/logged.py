"""What the decision log costs over HTTP, and how fast it is read: `make bench-log`.

The same service is asked the same with the log off, buffered and strict, in turns, so that whatever
else the machine does meets all of them. Then a log of a million entries is read and verified.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import click
from portal_store import ROOT, make_questions, make_store
from serving import make_contenders, measure

from authz_service.decision.entry import About
from authz_service.decision.log import DecisionLog, LogTerms
from authz_service.decision.lookup import Wanted, read_entries
from authz_service.decision.scribe import Scribe, SegmentTerms
from authz_service.decision.verification import verify
from authz_service.policy.engine import Finding
from authz_service.portal import DOMAIN
from authz_service.storage import tell_time
from authz_service.store.entity import Reference
from authz_service.store.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving import Contender, Result

    from authz_service.store.journal import Journal

_WAYS: Final = ("off", "buffered", "strict")
_BATCH: Final = 1_000


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=5, show_default=True, help="How long a round takes.")
@click.option("--threads", default=1, show_default=True, help="Threads of the serving process.")
@click.option("--entries", default=1_000_000, show_default=True, help="How many are read.")
@click.option("--port", default=8_090, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(
    customers: int,
    rounds: int,
    seconds: int,
    threads: int,
    entries: int,
    port: int,
    folder: Path,
) -> None:
    """Measure single questions and batches over HTTP with and without the log, and reading it."""
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk, which drives the servers; on Debian: apt-get install wrk")
    original = make_store(folder, customers)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        store = Path(scratch) / original.name
        shutil.copyfile(original, store)
        numbers = [str(port), "1", str(threads)]
        _, *asked = make_contenders(store, customers, numbers)
        found: dict[tuple[str, str], list[Result]] = {}
        for _ in range(rounds):
            for contender in asked:
                for way in _WAYS:
                    result = measure(_with_log(contender, way), port, seconds)
                    found.setdefault((contender.name, way), []).append(result)
        _tell(found)
        _read(Path(scratch) / "read.db", customers, entries)


def _with_log(contender: Contender, way: str) -> Contender:
    return replace(contender, command=[*contender.command, f"--log={way}"])


def _tell(found: dict[tuple[str, str], list[Result]]) -> None:
    click.echo("| asked | log | requests/s | to off | p50 ms | p99 ms | failed | CPU µs |")
    click.echo("|---|---|---|---|---|---|---|---|")
    for (name, way), results in found.items():
        rate, p50, p99, cpu = (
            median(getattr(each, what) for each in results)
            for what in ("rate", "p50", "p99", "cpu")
        )
        off = median(each.rate for each in found[name, "off"])
        failed = sum(each.failed for each in results)
        click.echo(
            f"| {name} | {way} | {rate:,.0f} | {rate / off:.2f} x | {p50:.2f} | {p99:.2f}"
            f" | {failed} | {cpu:.0f} |"
        )
    decisions = median(each.rate for each in found["batch", "buffered"]) * _BATCH
    click.echo(f"\nlogged, {_BATCH:,} questions a request: {decisions:,.0f} decisions/s\n")


def _median(results: list[Result], name: str) -> float:
    return median(getattr(each, name) for each in results)


def _read(store: Path, customers: int, entries: int) -> None:
    """Make a log, and read it in every way that there is."""
    journal = open_journal(f"sqlite:///{store}")
    journal.create_tables()
    _fill(journal, customers, entries)
    last = Wanted(who=Reference("person", "p1-0"))
    ways: dict[str, Callable[[], object]] = {
        "read, each request built again": lambda: sum(
            each.rebuild_request(DOMAIN.schema) is not None for each in read_entries(journal)
        ),
        "verify": lambda: verify(journal, lambda _count: None),
        "look for one person": lambda: list(read_entries(journal, last)),
    }
    size = sum(each.stat().st_size for each in store.parent.glob(f"{store.stem}-decisions.db*"))
    click.echo(f"| {entries:,} entries, {size / entries:.0f} bytes each | seconds |")
    click.echo("|---|---|")
    for name, way in ways.items():
        started = time.perf_counter()
        way()
        click.echo(f"| {name} | {time.perf_counter() - started:.1f} |")
    journal.close()


def _fill(journal: Journal, customers: int, entries: int) -> None:
    terms = SegmentTerms(2**26, timedelta(days=1), None)
    scribe = Scribe(journal, secrets.randbits(63), terms, tell_time)
    log = DecisionLog(scribe, LogTerms(is_strict=False, most=50_000, wait=60), tell_time)
    about = About("sha256:" + "0" * 64, "compiled", tuple(DOMAIN.schema.parameters))
    requests = [each.request for each in make_questions(customers, entries)]
    for start in range(0, entries, _BATCH):
        part = requests[start : start + _BATCH]
        findings = [Finding((), (), 1), Finding(("not_permitted",), (), 1)] * (len(part) // 2)
        log.note_many(about, log.count(), "shop", part, findings)
    log.close()


if __name__ == "__main__":
    main()
