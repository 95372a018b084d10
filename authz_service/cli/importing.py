"""`authz import`: put entities into the store, from lines of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.cli.output import show_progress

if TYPE_CHECKING:
    from authz_service.settings import Settings

_IMPORTED: Final = "an import"
_STANDARD_INPUT: Final = "<stdin>"


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--reason", default=_IMPORTED, help="Why, in words, for the feed.")
@takes_settings("database", "domain")
def import_(settings: Settings, *, file: str, reason: str) -> None:
    """Put the entities of FILE into the database: all of them, or none. `-` is the standard input.

    Each line is an entity, a JSON object of `type`, `id` and `attributes`; what it refers to is
    there already, or stands before it. An entity that is there is replaced. The tables are made
    where there are none.

    \b
    Example:
      authz export - | authz import - --database sqlite:///var/copy.db
    """
    size = Path(file).stat().st_size if file != "-" else 0
    with click.open_file(file, "rb") as lines, show_progress(size, "importing") as tell:
        name = _STANDARD_INPUT if file == "-" else file
        count = storage.import_into_store(settings, lines, name, reason, tell)
    entities = "1 entity" if count == 1 else f"{count} entities"
    click.echo(f"{entities} imported into {settings.shown_database}")
