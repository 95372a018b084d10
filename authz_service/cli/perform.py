"""`authz perform`: do what may be done."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from authz_service.cli.asking import Circumstances, ReferenceType, takes_present
from authz_service.cli.options import LOGGING, takes_settings
from authz_service.decision.performer import Deed, write_performed
from authz_service.errors import EXIT_DENY
from authz_service.policy.said import build_checked_deed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.decision.performer import Performed
    from authz_service.settings import Settings
    from authz_service.store.entity import Reference


@click.command()
@click.argument("subject", type=ReferenceType())
@click.argument("action")
@click.argument("resource", type=ReferenceType())
@takes_present
@click.option("--reason", default="", help="Why, in words; it stands in the feed of changes.")
@click.option("--key", default="", help="The same KEY gets the first answer again, for a day.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@takes_settings("database", "policies", "domain", "engine", "time_limit", "link_page", *LOGGING)
def perform(
    settings: Settings, *, subject: Reference, action: str, resource: Reference, **options: Any
) -> None:
    """Let SUBJECT do ACTION on RESOURCE, if they may; both are TYPE/ID.

    It is decided and done in one transaction, and what changed is printed. Exit code 0 means that
    it was done, 1 that it was denied, 2 that it could not be asked.

    \b
    Example:
      authz perform person/mary become_administrator customer/123456789 --via web
      authz perform person/eva confirm_code delegate_request/1f0c --with action.token=123456
    """
    reason, key, as_json = (options.pop(name) for name in ("reason", "key", "as_json"))
    circumstances = Circumstances(**options)
    with circumstances.open_performer(settings) as (performer, schema):
        asked = subject, action, resource, circumstances.all_said
        request, inputs = build_checked_deed(schema, *asked)
        performed = performer.perform(Deed(request, inputs, "authz perform", reason, key))
    if as_json:
        click.echo(json.dumps(write_performed(performed), ensure_ascii=False))
    else:
        _show(performed)
    if not performed.decision.allowed:
        sys.exit(EXIT_DENY)


def _show(performed: Performed) -> None:
    if not performed.decision.allowed:
        click.echo("denied")
        for reason in performed.decision.reasons:
            click.echo(f"  {reason.code}: {reason.message}")
        return
    click.echo(f"done, revision {performed.revision}")
    for change in performed.changes:
        click.echo(f"  {change['type']}/{change['id']}: {_describe(change)}")


def _describe(change: Mapping[str, Any]) -> str:
    before, after = change["before"], change["after"]
    if before is None:
        return "new, " + ", ".join(f"{name} {_say(value)}" for name, value in after.items())
    if after is None:
        return "removed"
    return ", ".join(
        f"{name} {_say(before[name])} -> {_say(value)}"
        for name, value in after.items()
        if value != before[name]
    )


def _say(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
