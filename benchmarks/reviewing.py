"""What an access review takes, of a small customer and of a crowded one: `make bench-review`."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import click
from portal_store import ROOT, make_crowded_store

from authz_service.cli.asking import Circumstances
from authz_service.decision.review import Wanted
from authz_service.policy.request import Said
from authz_service.settings import Settings
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Milliseconds; a busy machine comes near what is usual.
_LONG: Final = 60_000


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option(
    "--crowd",
    default=2_000,
    show_default=True,
    help="How many members and subscriptions the crowded customer has.",
)
@click.option("--rounds", default=3, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, crowd: int, rounds: int, folder: Path) -> None:
    """Measure reviews of customers and of their administrators."""
    file = make_crowded_store(folder, customers, crowd)
    # what is known: subscriptions times actions of the administrator, and what members may
    expected = {
        "customer/c5": 45,
        "person/p5-0": 30,
        "customer/crowded": 8 * crowd + 2,
        "person/boss": 5 * crowd + 5,
    }
    click.echo("| review of | grants | searching s | explaining s | ms a grant |")
    click.echo("|---|---|---|---|---|")
    for entity, count in expected.items():
        taken = [_time_review(file, entity, count) for _ in range(rounds)]
        searching, explaining = (
            median(each[name] for each in taken) for name in ("searching", "explaining")
        )
        per_grant = (searching + explaining) / count * 1_000
        click.echo(
            f"| {entity} | {count:,} | {searching:.2f} | {explaining:.2f} | {per_grant:.2f} |"
        )


def _time_review(file: Path, entity: str, expected: int) -> dict[str, float]:
    """Take the seconds of each part of a review; a wrong number of grants ends the run."""
    taken: dict[str, float] = {}

    @contextmanager
    def watch(_length: int, label: str) -> Iterator[Callable[[int], Any]]:
        start = time.perf_counter()
        yield lambda _count: None
        taken[label] = time.perf_counter() - start

    wanted = Wanted(Reference.parse(entity), None, Said(), None, 20)
    settings = Settings(
        database=f"sqlite:///{file}",
        policies=ROOT / "policies",
        time_limit=_LONG,
        search_time_limit=_LONG,
    )
    with Circumstances(None, Said(), None, None, 0).open_reviewer(settings) as reviewer:
        found = reviewer.review(wanted, watch)
    if len(found.grants) != expected:
        raise click.ClickException(f"{len(found.grants)} grants of {entity}, not {expected}")
    return taken


if __name__ == "__main__":
    main()
