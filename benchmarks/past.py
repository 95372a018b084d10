"""What it takes to ask as of a past revision: `make bench-past` runs this.

A large SQLite file, in which some entities of two types were written since. The same questions are
asked as things are now and as of before; every answer is compared with the known one.
"""

from __future__ import annotations

import itertools
import resource
import shutil
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from measure import median, time_rounds
from portal_store import ROOT, make_questions, make_store

from authz_service import assembly
from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.storage import tell_time
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.store.past import open_at
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal_store import Question

    from authz_service.decision.decider import Decider
    from authz_service.policy.engine import Engine
    from authz_service.policy.request import Request
    from authz_service.store.database import Store

_WEB: Final = Said(context={"channel": "web"})
_CHUNK: Final = 1_000
_SEARCHES: Final = 20
# Milliseconds; nothing here comes near it but on a busy machine.
_TIME_LIMIT: Final = 60_000


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--changed", default=[0, 1_000, 100_000], multiple=True, show_default=True)
@click.option("--questions", default=2_000, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(
    customers: int, changed: tuple[int, ...], questions: int, rounds: int, folder: Path
) -> None:
    """Measure opening the past, and questions to it, after a number of changes."""
    original = make_store(folder, customers)
    settings = Settings(policies=ROOT / "policies", time_limit=_TIME_LIMIT)
    engine = assembly.build_compiled(settings, DOMAIN)
    asked = make_questions(customers, questions)
    click.echo(
        "| changed since | open ms | check µs, now | check µs, then | what µs | who ms | MB |"
    )
    click.echo("|---|---|---|---|---|---|---|")
    for count in changed:
        with tempfile.TemporaryDirectory(dir=folder) as copies:
            file = Path(copies) / original.name
            shutil.copyfile(original, file)
            with closing(open_store(f"sqlite:///{file}", DOMAIN)) as store:
                _change(store, count)
                _measure(store, engine, asked, rounds, count)


def _change(store: Store, count: int) -> None:
    """Write half as many memberships as subscriptions: what they say is what they said."""
    for kind, number in (("membership", count // 3), ("subscription", count - count // 3)):
        ids = list(itertools.islice(store.find_ids(kind), number))
        with write(store, Cause(), tell_time()) as writer:
            for start in range(0, number, _CHUNK):
                found = store.find_many(kind, ids[start : start + _CHUNK])
                writer.put_many(list(found.values()), found)


def _measure(
    store: Store, engine: Engine, asked: Sequence[Question], rounds: int, count: int
) -> None:
    opened = []
    for _ in range(rounds):
        start = time.perf_counter()
        with open_at(store, 0):
            opened.append(time.perf_counter() - start)
    now = _ask(assembly.build_decider(engine, DOMAIN, store), asked, rounds)
    with open_at(store, 0) as past:
        settings = Settings(search_time_limit=_TIME_LIMIT)
        decider = assembly.build_decider(engine, DOMAIN, past, settings=settings)
        then = _ask(decider, asked, rounds)
        what = _search(decider, _request("p7-0", "subscription/"), rounds)
        who = _search(decider, _request("", "subscription/m7-1"), rounds)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures = f"{1_000 * statistics.median(opened):.1f} | {now:.1f} | {then:.1f}"
    click.echo(f"| {count:,} | {figures} | {what:.0f} | {who / 1_000:.2f} | {used} |")


def _ask(decider: Decider, asked: Sequence[Question], rounds: int) -> float:
    found = time_rounds(
        decider.check,
        [each.request for each in asked],
        rounds,
        lambda number, decision: decision.allowed == asked[number].allowed,
    )
    return median(found, 50)


def _search(decider: Decider, request: Request, rounds: int) -> float:
    look = decider.search_resources if request.subject.id else decider.search_subjects
    wanted = 5 if request.subject.id else 2
    found = time_rounds(
        look, [request] * _SEARCHES, rounds, lambda _, found: len(found.results) == wanted
    )
    return median(found, 50)


def _request(person: str, subscription: str) -> Request:
    kind, _, entity = subscription.partition("/")
    asked = Reference("person", person), "view_usage", Reference(kind, entity)
    return build_request(DOMAIN.schema, *asked, _WEB)


if __name__ == "__main__":
    main()
