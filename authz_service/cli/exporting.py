"""`authz export`: give out the entities of the store, as lines of JSON."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.cli.output import open_output
from authz_service.errors import StoreError, quote, suggest
from authz_service.store.exporting import export_entities

if TYPE_CHECKING:
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain


@click.command()
@click.argument("file", type=click.Path(allow_dash=True), default="-")
@click.option("--type", "kind", help="Give out entities of this type only.")
@takes_settings("database", "domain")
def export(settings: Settings, *, file: str, kind: str | None) -> None:
    """Write all entities to FILE, or to the standard output, so that `authz import` reads them.

    A FILE is there only once it is whole. Two databases that hold the same give the same bytes.

    \b
    Example:
      authz export var/portal.jsonl
      authz export --type person
    """
    domain = storage.find_domain(settings.domain)
    kinds = _find_kinds(domain, kind)
    store = storage.open_existing_store(settings, domain)
    try:
        # the lines are closed, and with them their transaction, also when they cannot be written
        with (
            closing(export_entities(store, domain, kinds)) as lines,
            open_output(file) as output,
        ):
            for line in lines:
                output.write(line)
    finally:
        store.close()


def _find_kinds(domain: Domain, kind: str | None) -> list[str]:
    stored = [name for name, each in domain.schema.types.items() if each.stored]
    if kind is not None and kind not in stored:
        message = f"there is no entity type {quote(kind)}{suggest(kind, stored)}"
        raise StoreError.at("--type", "unknown_type", message)
    return stored if kind is None else [kind]
