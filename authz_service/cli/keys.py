"""`authz keys`: who may call the service, and for what."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.store.keys import (
    KeyState,
    Scope,
    create_key,
    find_keys,
    has_keys,
    revoke_keys,
    rotate_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.keys import Key, NewKey

_LONGEST_DAYS: Final = 3_650
_LONGEST_HOURS: Final = 24 * 90
_COLUMNS: Final = ("name", "id", "state", "scopes", "created", "expires", "used")


@click.group()
def keys() -> None:
    """Say who may call the service, and for what.

    From the first key on, the service answers nobody without one, even when all are revoked.
    """


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    multiple=True,
    required=True,
    help=f"What it is for: {', '.join(Scope)}. Can be given several times.",
)
@click.option(
    "--expires",
    "days",
    metavar="DAYS",
    type=click.IntRange(1, _LONGEST_DAYS),
    help="End it after so many days; without this it does not end.",
)
@takes_settings("database", "domain")
def create(settings: Settings, *, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a key for the client NAME; the last line that is printed is the key.

    \b
    Example:
      authz keys create shop --scope decide --scope perform --expires 365
    """
    now = storage.tell_time()
    with _open_store(settings) as store:
        is_first = not has_keys(store)
        made = create_key(store, name, scopes, now, _after(now, days))
    if is_first:
        click.echo("this is the first key: within a second nobody is answered without one")
    _show_new(made)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@takes_settings("database", "domain")
def list_keys(settings: Settings, *, as_json: bool) -> None:
    """List all keys that there ever were: scopes, times and state; what is secret nobody has.

    \b
    Example:
      authz keys list --json
    """
    now = storage.tell_time()
    with _open_store(settings) as store:
        found = find_keys(store)
    if as_json:
        click.echo(json.dumps([_write(each, now) for each in found], indent=2))
        return
    rows = [_COLUMNS, *(_write_row(each, now) for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@keys.command()
@click.argument("name", metavar="NAME|ID")
@takes_settings("database", "domain")
def revoke(settings: Settings, *, name: str) -> None:
    """End a key by its ID, or all live keys of the client NAME: within a second, and for good.

    \b
    Example:
      authz keys revoke shop
    """
    with _open_store(settings) as store:
        ended = revoke_keys(store, name, storage.tell_time())
    for each in ended:
        click.echo(f"revoked {each.id} of {each.name}")
    if not ended:
        click.echo("nothing to revoke: it is not live")


@keys.command()
@click.argument("name")
@click.option(
    "--overlap",
    "hours",
    metavar="HOURS",
    type=click.IntRange(0, _LONGEST_HOURS),
    default=24,
    show_default=True,
    help="For how long the key before stays live; 0 ends it now.",
)
@click.option(
    "--expires",
    "days",
    metavar="DAYS",
    type=click.IntRange(1, _LONGEST_DAYS),
    help="End the new key after so many days; without this it lives as long as the one before.",
)
@takes_settings("database", "domain")
def rotate(settings: Settings, *, name: str, hours: int, days: int | None) -> None:
    """Make the next key of the client NAME, with the same scopes; the one before ends later.

    \b
    Example:
      authz keys rotate shop --overlap 48
    """
    now = storage.tell_time()
    with _open_store(settings) as store:
        made = rotate_key(store, name, timedelta(hours=hours), now, _after(now, days))
        same = [each for each in find_keys(store) if each.name == name and each.id != made.key.id]
    for each in same:
        if each.state(now) is KeyState.LIVE:
            click.echo(f"{each.id} of {each.name} ends at {_write_time(each.expires)}")
    _show_new(made)


@contextmanager
def _open_store(settings: Settings) -> Iterator[Store]:
    store = storage.open_existing_store(settings, storage.find_domain(settings.domain))
    try:
        yield store
    finally:
        store.close()


def _after(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _show_new(made: NewKey) -> None:
    key = made.key
    end = f"until {_write_time(key.expires)}" if key.expires else "without an end"
    click.echo(f"made {key.id} of {key.name}, {end}: {', '.join(sorted(key.scopes))}")
    click.echo("this is the key; it is shown once, and nobody can find it again:")
    click.echo(made.text)


def _write(key: Key, now: datetime) -> dict[str, Any]:
    """Write a key for programs."""
    times = {name: getattr(key, name) for name in ("created", "expires", "used", "revoked")}
    return {
        "name": key.name,
        "id": key.id,
        "state": key.state(now),
        "scopes": sorted(key.scopes),
        **{name: each and _write_time(each) for name, each in times.items()},
    }


def _write_row(key: Key, now: datetime) -> tuple[str, ...]:
    """Write a key for people."""
    written = _write(key, now)
    written["scopes"] = ",".join(written["scopes"])
    return tuple(written[name] or "never" for name in _COLUMNS)


def _write_time(time: datetime | None) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else "never"
