"""`authz messages`: look at the outbox, and queue dead messages again."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.store.outbox import STATES, find_messages, retry_dead

if TYPE_CHECKING:
    from authz_service.settings import Settings
    from authz_service.store.outbox import Listed


@click.group()
def messages() -> None:
    """Look at messages, and queue dead ones again. What a message says is never shown."""


@messages.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    help="Only those in this state. Can be given several times.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1_000,
    show_default=True,
    help="How many at the most.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, an object a line.")
@takes_settings("database", "domain")
def list_messages(
    settings: Settings, *, states: tuple[str, ...], limit: int, as_json: bool
) -> None:
    """List messages, the oldest first.

    \b
    Example:
      authz messages list --state dead
    """
    domain = storage.find_domain(settings.domain)
    store = storage.open_existing_store(settings, domain)
    try:
        found = find_messages(store, states or STATES, limit + 1)
    finally:
        store.close()
    for each in found[:limit]:
        click.echo(_write_json(each) if as_json else _write_line(each))
    if len(found) > limit:
        click.echo("and more; `--limit` shows them", err=True)
    if not found:
        click.echo("no messages", err=True)


@messages.command("retry")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All dead messages.")
@takes_settings("database", "domain")
def retry_messages(settings: Settings, *, ids: tuple[str, ...], everything: bool) -> None:
    """Queue the dead messages with these IDs again: all of them, or none.

    \b
    Example:
      authz messages retry --all
    """
    if bool(ids) == everything:
        raise click.UsageError("Give the IDs of dead messages, or --all.")
    domain = storage.find_domain(settings.domain)
    store = storage.open_existing_store(settings, domain)
    try:
        chosen = None if everything else list(dict.fromkeys(ids))
        count = retry_dead(store, chosen, storage.tell_time())
    finally:
        store.close()
    click.echo(f"{count} queued again")


def _write_json(message: Listed) -> str:
    values = dataclasses.asdict(message)
    return json.dumps({name: _write_value(value) for name, value in values.items()})


def _write_line(message: Listed) -> str:
    tries = "1 try" if message.attempts == 1 else f"{message.attempts} tries"
    about = f"{message.medium} {_printable(message.address)} {_printable(message.template)}"
    error = f": {_printable(message.error)}" if message.error else ""
    at = _write_value(message.sent or message.at)
    return f"{message.id} {message.state} {at} {about}, {tries}{error}"


def _write_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return value


def _printable(text: str) -> str:
    """Leave out what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in text)
