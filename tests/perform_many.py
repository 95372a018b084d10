"""Make members administrators, one after the other, and print each when it is acknowledged.

It is run by tests/durability.py, several at once on one store, and killed half way.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from authz_service import assembly
from authz_service.decision.performer import Deed
from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

ROOT: Final = Path(__file__).parent.parent
_WEB: Final = Said(context={"channel": "web"})


@click.command()
@click.argument("url")
@click.argument("share", type=int)
@click.argument("customers", type=int)
def main(url: str, share: int, customers: int) -> None:
    """Perform on the customers of one of four shares, user by user."""
    store = open_store(url, DOMAIN)
    engine = assembly.build_compiled(replace(Settings(), policies=ROOT / "policies"), DOMAIN)
    performer = assembly.build_performer(engine, DOMAIN, store)
    click.echo("ready")
    for user in range(1, 4):
        for number in range(share, customers, 4):
            person, customer = f"p{number}-{user}", f"c{number}"
            asked = (
                Reference("person", person),
                "become_administrator",
                Reference("customer", customer),
            )
            performed = performer.perform(Deed(build_request(DOMAIN.schema, *asked, _WEB)))
            if not performed.decision.allowed:
                raise click.ClickException(f"{person}: {performed.decision.reasons}")
            click.echo(f"{performed.revision} {customer}/{person}")
    store.close()


if __name__ == "__main__":
    main()
