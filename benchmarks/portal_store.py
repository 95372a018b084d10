"""A store of the portal of any size, and questions about it whose answers are known.

Each customer is a business with one administrator, three users and five subscriptions: a mobile for
each user, internet and TV. Rows are made as they are written, so that size costs disk only.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service import assembly
from authz_service.policy.request import Request, read_given
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.decision.decider import Decider
    from authz_service.decision.explainer import Explainer
    from authz_service.decision.performer import Performer
    from authz_service.store.domain import Domain

ROOT: Final = Path(__file__).parent.parent

# What is in the files, or how it lies there, has changed since an earlier version.
_VERSION: Final = 6
_CHUNK: Final = 20_000
# Milliseconds; nothing here comes near it but oso on a busy machine.
_TIME_LIMIT: Final = 60_000
_USERS: Final = range(1, 4)


@dataclass(frozen=True)
class Question:
    """A request with the answer that it must get."""

    request: Request
    allowed: bool


def make_store(folder: Path, customers: int) -> Path:
    """Make a SQLite file of a number of customers in a folder, unless it is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"portal-{customers}-v{_VERSION}.db"
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    for stale in path.parent.glob(f"{partial.name}*"):
        stale.unlink()
    store = open_store(f"sqlite:///{partial}", DOMAIN)
    with store.transaction():
        store.create_tables()
    store.close()
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = off")
        for statement, rows in _TABLES:
            _fill(connection, statement, rows, customers)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return partial.rename(path)


def make_crowded_store(folder: Path, customers: int, crowd: int) -> Path:
    """Make the same store with one customer more, `crowded`, unless it is there already.

    Arguments:
        folder: where.
        customers: how many others there are.
        crowd: how many subscriptions the customer has, and how many members: `boss`, who
            administers it, and users.
    """
    original = make_store(folder, customers)
    path = original.with_name(f"{original.stem}-crowded-{crowd}.db")
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    shutil.copyfile(original, partial)
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = off")
        connection.execute("BEGIN")
        for (statement, _), rows in zip(_TABLES, _crowded(crowd), strict=True):
            connection.executemany(statement, rows)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return partial.rename(path)


def build_decider(
    engine: str, file: Path, domain: Domain = DOMAIN, policies: Path = ROOT / "policies"
) -> Decider:
    """Build what decides about a file, as a service does."""
    settings = dataclasses.replace(
        Settings(), policies=policies, engine=engine, sample=0, time_limit=_TIME_LIMIT
    )
    store = open_store(f"sqlite:///{file}", domain)
    return assembly.build_decider(assembly.build_engine(settings, domain), domain, store)


def build_performer(file: Path) -> Performer:
    """Build what performs on a file, as a service does."""
    settings = dataclasses.replace(Settings(), policies=ROOT / "policies")
    store = open_store(f"sqlite:///{file}", DOMAIN)
    return assembly.build_performer(assembly.build_compiled(settings, DOMAIN), DOMAIN, store)


def build_explainer(file: Path) -> tuple[Explainer, Decider]:
    """Build what explains about a file, as a service does, and what decides."""
    settings = dataclasses.replace(Settings(), policies=ROOT / "policies", time_limit=_TIME_LIMIT)
    store = open_store(f"sqlite:///{file}", DOMAIN)
    engine = assembly.build_compiled(settings, DOMAIN)
    decider = assembly.build_decider(engine, DOMAIN, store)
    return assembly.build_explainer(engine, decider, DOMAIN, store), decider


def make_questions(customers: int, count: int, seed: int = 1) -> list[Question]:
    """Make questions, half of them allowed; the denials are near misses."""
    generator = random.Random(seed)  # noqa: S311  # the same questions each time
    makers = itertools.cycle(_MAKERS)
    return [next(makers)(generator, customers) for _ in range(count)]


def _fill(
    connection: sqlite3.Connection,
    statement: str,
    rows: Callable[[int], Iterable[tuple[object, ...]]],
    customers: int,
) -> None:
    """Write a table in chunks, each a transaction, with a line of progress on a terminal."""
    for start in range(0, customers, _CHUNK):
        numbers = range(start, min(start + _CHUNK, customers))
        connection.execute("BEGIN")
        connection.executemany(statement, (row for number in numbers for row in rows(number)))
        connection.execute("COMMIT")
        if sys.stderr.isatty():
            done = 100 * (start + len(numbers)) // customers
            print(f"\r{statement.split()[2]:<14}{done:3}%", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _customers(number: int) -> Iterator[tuple[object, ...]]:
    yield f"c{number}", f"Customer {number}", "business"


def _people(number: int) -> Iterator[tuple[object, ...]]:
    for each in (0, *_USERS):
        yield f"p{number}-{each}", f"Person {number}-{each}", f"p{number}-{each}@example", None


def _memberships(number: int) -> Iterator[tuple[object, ...]]:
    for each in (0, *_USERS):
        role = "user" if each else "administrator"
        person, customer = f"p{number}-{each}", f"c{number}"
        yield f"{customer}/{person}", customer, person, role, 0, "business"


def _subscriptions(number: int) -> Iterator[tuple[object, ...]]:
    for each in _USERS:
        yield f"m{number}-{each}", f"c{number}", "mobile", f"p{number}-{each}"
    yield f"i{number}", f"c{number}", "internet", None
    yield f"t{number}", f"c{number}", "tv", None


def _crowded(crowd: int) -> Iterator[Iterable[tuple[object, ...]]]:
    """Make the rows of the customer with very many of everything, table by table."""
    people = ["boss", *(f"u{number:06}" for number in range(1, crowd))]
    yield [("crowded", "Crowded", "business")]
    yield ((each, each, f"{each}@example", None) for each in people)
    yield (
        (f"crowded/{each}", "crowded", each, role, 0, "business")
        for each, role in zip(people, ["administrator", *["user"] * crowd], strict=False)
    )
    yield ((f"s{number:06}", "crowded", "tv", None) for number in range(crowd))


_TABLES: Final = (
    ("INSERT INTO customer (id, name, kind) VALUES (?, ?, ?)", _customers),
    ("INSERT INTO person (id, name, email, mobile) VALUES (?, ?, ?, ?)", _people),
    (
        (
            "INSERT INTO membership (id, customer_id, person_id, role,"
            " excluded_from_administration, customer_kind) VALUES (?, ?, ?, ?, ?, ?)"
        ),
        _memberships,
    ),
    (
        "INSERT INTO subscription (id, customer_id, kind, holder_id) VALUES (?, ?, ?, ?)",
        _subscriptions,
    ),
)


def _ask(person: str, action: str, subscription: str, *, allowed: bool) -> Question:
    given = read_given(DOMAIN.schema, {"channel": "web"}, {})
    subject, resource = Reference("person", person), Reference("subscription", subscription)
    return Question(Request(subject, action, resource, given), allowed)


def _administrator_may(generator: random.Random, customers: int) -> Question:
    number = generator.randrange(customers)
    action = generator.choice(["view_bills", "view_usage", "manage_options"])
    subscription = generator.choice([f"m{number}-1", f"i{number}", f"t{number}"])
    return _ask(f"p{number}-0", action, subscription, allowed=True)


def _another_customer(generator: random.Random, customers: int) -> Question:
    number = generator.randrange(customers)
    other = (number + 1) % customers
    return _ask(f"p{number}-0", "view_bills", f"i{other}", allowed=False)


def _own_mobile(generator: random.Random, customers: int) -> Question:
    number, user = generator.randrange(customers), generator.choice(_USERS)
    action = generator.choice(["view_usage", "activate_free_option"])
    return _ask(f"p{number}-{user}", action, f"m{number}-{user}", allowed=True)


def _the_mobile_of_another(generator: random.Random, customers: int) -> Question:
    number, user = generator.randrange(customers), generator.choice(_USERS)
    return _ask(f"p{number}-{user}", "view_usage", f"m{number}-{user % 3 + 1}", allowed=False)


_MAKERS: Final = (_administrator_may, _another_customer, _own_mobile, _the_mobile_of_another)
