"""Kill processes that perform, and look at what is left: `make durability`."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.entity import Reference, Row
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT: Final = Path(__file__).parent / "perform_many.py"
_PROCESSES: Final = 4
_START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
_DONE: Final = """
    SELECT revision, entity_id FROM authz_change WHERE action = 'become_administrator' ORDER BY 1
"""
_ROLES: Final = """
    SELECT id FROM membership WHERE role = 'administrator' AND person_id NOT LIKE '%-0'
"""
_TOLD: Final = """
    SELECT fields ->> 'customer' || '/' || (fields ->> 'person_name') FROM authz_message
"""


@click.command()
@click.option("--kills", default=20, show_default=True, help="How often all processes are killed.")
@click.option("--performs", default=10_000, show_default=True, help="How many there are to do.")
@click.option("--number", default=1, show_default=True, help="Of the random moments.")
def main(kills: int, performs: int, number: int) -> None:
    """Kill four processes that perform on one SQLite file, at random moments, and look."""
    customers = -(-performs // 3)
    generator = random.Random(number)  # noqa: S311  # the same moments each time
    with tempfile.TemporaryDirectory() as folder:
        for each in range(kills):
            path = Path(folder) / f"portal-{each}.db"
            make_store(path, customers)
            acknowledged = kill_halfway(path, customers, 0.2 + generator.random() * 2)
            faults = list(look(path, acknowledged))
            click.echo(f"killed after {len(acknowledged):,}: {'; '.join(faults) or 'all is there'}")
            if faults:
                sys.exit(1)


def make_store(path: Path, customers: int) -> None:
    """Make a store of companies, each with an administrator and three users."""
    store = open_store(f"sqlite:///{path}", DOMAIN)
    with store.transaction():
        store.create_tables()
        with write(store, Cause(), _START) as writer:
            for row in _rows(customers):
                writer.insert(row)
    store.close()


def kill_halfway(path: Path, customers: int, seconds: float) -> dict[int, str]:
    """Let four processes perform, and kill them after some seconds of it.

    Returns:
        what they said was done, by its revision.
    """
    command = [sys.executable, str(SCRIPT), f"sqlite:///{path}"]
    processes = [
        subprocess.Popen([*command, str(share), str(customers)], stdout=subprocess.PIPE, text=True)
        for share in range(_PROCESSES)
    ]
    for each in processes:
        assert each.stdout
        assert "ready\n" == each.stdout.readline()
    time.sleep(seconds)
    for each in processes:
        each.send_signal(signal.SIGKILL)
    said = [each.communicate()[0] for each in processes]
    # a line that was cut off was not said
    lines = [line for text in said for line in text.splitlines(keepends=True)]
    pairs = [line.split() for line in lines if line.endswith("\n")]
    return {int(revision): entity for revision, entity in pairs}


def look(path: Path, acknowledged: dict[int, str]) -> Iterator[str]:
    """Look at a store after its processes were killed, and tell what is not as it must be."""
    with closing(sqlite3.connect(path)) as connection:

        def ask(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(statement).fetchall()

        done: dict[int, str] = dict(ask(_DONE))
        revisions = [each for (each,) in ask("SELECT revision FROM authz_change ORDER BY 1")]
        if [("ok",)] != ask("PRAGMA integrity_check"):
            yield "the file is damaged"
        if acknowledged.items() - done.items():
            yield "something acknowledged is lost"
        if revisions != list(range(1, len(revisions) + 1)):
            yield "the feed has a gap"
        if [(len(revisions),)] != ask("SELECT revision FROM authz_state"):
            yield "the last revision is not that of the last change"
        if {each for (each,) in ask(_ROLES)} != set(done.values()):
            yield "a change is half done"
        if Counter(each for (each,) in ask(_TOLD)) != _count_told(done):
            yield "a message is lost, or one too many"


def _count_told(done: dict[int, str]) -> Counter[str]:
    """Count the administrators that a company had before each new one: they are all told."""
    had: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for entity in done.values():
        customer = entity.partition("/")[0]
        had[customer] += 1
        told[entity] = had[customer]
    return told


def _rows(customers: int) -> Iterator[Row]:
    for number in range(customers):
        customer = Reference("customer", f"c{number}")
        yield Row(customer, {"name": customer.id, "kind": "business"})
        for each in range(4):
            person = Reference("person", f"p{number}-{each}")
            yield Row(person, {"name": person.id, "email": f"{person.id}@example.com"})
            role = "user" if each else "administrator"
            values = {"customer": customer.id, "person": person.id, "role": role}
            yield Row(Reference("membership", f"{customer.id}/{person.id}"), values)


if __name__ == "__main__":
    main()
