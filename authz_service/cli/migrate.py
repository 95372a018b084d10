"""`authz migrate`: bring the tables of a store up to what this program knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.errors import EXIT_DENY

if TYPE_CHECKING:
    from authz_service.settings import Settings


@click.command()
@click.option(
    "--check", is_flag=True, help="Only tell what is to be done; exit code 1 if anything is."
)
@takes_settings("database", "domain")
def migrate(settings: Settings, *, check: bool) -> None:
    """Bring the tables of the database up to date: all steps, or none.

    Stop what serves from it first, and keep a copy of it: there is no way back.

    \b
    Example:
      authz migrate --check --database sqlite:///var/portal.db
    """
    found = storage.migrate_store(settings, check=check)
    for each in found:
        click.echo(f"{'to be run' if check else 'run'}: {each.number} {each.name}")
    if not found:
        click.echo(f"{settings.shown_database} is up to date")
    elif check:
        sys.exit(EXIT_DENY)
