"""`authz changes`: what was written, by whom, and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.store.feed import read_feed, write_change
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from authz_service.settings import Settings
    from authz_service.store.database import Store

_WAIT_SECONDS: Final = 0.5


@click.command()
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Begin behind this revision.",
)
@click.option("--follow", is_flag=True, help="Go on with what is written from now on.")
@takes_settings("database", "domain")
def changes(settings: Settings, *, after: int, follow: bool) -> None:
    """Print the feed, a line of JSON for each write.

    \b
    Example:
      authz changes --after 1200 --follow
    """
    store = storage.open_existing_store(settings, storage.find_domain(settings.domain))
    try:
        after = _print(store, after)
        while follow:
            time.sleep(_WAIT_SECONDS)
            after = _print(store, after)
    finally:
        store.close()


def _print(store: Store, after: int) -> int:
    """Print what there is, and give back where to go on."""
    last = find_revision(store)
    for change in read_feed(store, after, last):
        click.echo(write_change(change))
    return max(after, last)
