"""`authz load`: put the entities of fixture files into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service import storage
from authz_service.cli.options import takes_settings

if TYPE_CHECKING:
    from authz_service.settings import Settings


@click.command()
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@takes_settings("database", "domain")
def load(settings: Settings, *, paths: tuple[Path, ...]) -> None:
    """Put the entities of fixture FILEs into the database: all of them, or none.

    A folder stands for the .yaml files in it. The tables are made where there are none.

    \b
    Example:
      authz load fixtures/smith.yaml --database sqlite:///var/portal.db
    """
    count = storage.load_into_store(settings, paths)
    entities = "1 entity" if count == 1 else f"{count} entities"
    click.echo(f"{entities} loaded into {settings.shown_database}")
