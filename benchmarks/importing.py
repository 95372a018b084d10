"""How fast entities are imported and exported: `make bench-import` runs this.

The entities are those of the other benchmarks, as lines, type by type. What was imported is
exported, and must be what was imported.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from portal_store import ROOT

from authz_service import storage
from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.exporting import export_entities
from authz_service.store.importing import import_entities
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_USERS: Final = range(1, 4)


@click.command()
@click.option("--customers", default=20_000, show_default=True, help="14 entities each.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--database", help="Where to import to, one round; a new SQLite file if not given.")
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, rounds: int, database: str | None, folder: Path) -> None:
    """Measure an import into a new store, the same once more into it, and an export."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        file = Path(name) / "entities.jsonl"
        with file.open("w") as output:
            count = sum(_write(output.write, line) for line in _lines(customers))
        click.echo(f"{count:,} entities, {file.stat().st_size / 1e6:.0f} MB")
        click.echo("| | entities/s |")
        click.echo("|---|---|")
        for number in range(1 if database else rounds):
            url = database or f"sqlite:///{name}/portal-{number}.db"
            _measure(url, file, count)


def _measure(url: str, file: Path, count: int) -> None:
    store = open_store(url, DOMAIN)
    with store.transaction():
        store.create_tables()

    def bring() -> None:
        with file.open("rb") as data, write(store, Cause(), storage.tell_time()) as writer:
            import_entities(data, file.name, writer, DOMAIN)

    def give() -> int:
        return sum(map(len, export_entities(store, DOMAIN, DOMAIN.schema.types)))

    for title, act in (("import", bring), ("import again", bring), ("export", give)):
        start = time.perf_counter()
        size = act()
        click.echo(f"| {title} | {count / (time.perf_counter() - start):,.0f} |")
        if size is not None and size < file.stat().st_size:
            sys.exit("what was exported is not what was imported")
    store.close()


def _write(write_text: Callable[[str], Any], line: dict[str, Any]) -> int:
    write_text(json.dumps(line, separators=(",", ":")) + "\n")
    return 1


def _lines(customers: int) -> Iterator[dict[str, Any]]:
    """Make the lines, type by type."""
    for kind, make in _MAKERS.items():
        for number in range(customers):
            for entity_id, attributes in make(number):
                yield {"type": kind, "id": entity_id, "attributes": attributes}


def _people(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in (0, *_USERS):
        name = f"p{number}-{each}"
        yield name, {"name": f"Person {name}", "email": f"{name}@example", "mobile": None}


def _customers(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    yield f"c{number}", {"name": f"Customer {number}", "kind": "business"}


def _memberships(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in (0, *_USERS):
        customer, person = f"c{number}", f"p{number}-{each}"
        role = "user" if each else "administrator"
        yield f"{customer}/{person}", {"customer": customer, "person": person, "role": role}


def _subscriptions(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    customer = f"c{number}"
    for each in _USERS:
        holder = f"p{number}-{each}"
        yield f"m{number}-{each}", {"customer": customer, "kind": "mobile", "holder": holder}
    yield f"i{number}", {"customer": customer, "kind": "internet"}
    yield f"t{number}", {"customer": customer, "kind": "tv"}


_MAKERS: Final = {
    "person": _people,
    "customer": _customers,
    "membership": _memberships,
    "subscription": _subscriptions,
}

if __name__ == "__main__":
    main()
