"""Make members administrators, one after the other, and print each when it is acknowledged.

It is run by tests/durability.py, several at once on one store, and killed half way.
"""

from __future__ import annotations

import click
from performing import make_deed, open_performer


@click.command()
@click.argument("url")
@click.argument("share", type=int)
@click.argument("customers", type=int)
def main(url: str, share: int, customers: int) -> None:
    """Perform on the customers of one of four shares, user by user."""
    store, performer = open_performer(url)
    click.echo("ready")
    for user in range(1, 4):
        for number in range(share, customers, 4):
            person, customer = f"p{number}-{user}", f"c{number}"
            deed = make_deed(f"person/{person}", "become_administrator", f"customer/{customer}")
            performed = performer.perform(deed)
            if not performed.decision.allowed:
                raise click.ClickException(f"{person}: {performed.decision.reasons}")
            click.echo(f"{performed.revision} {customer}/{person}")
    store.close()


if __name__ == "__main__":
    main()
