"""`authz check`: ask one question."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service.cli.asking import Circumstances, ReferenceType, takes_circumstances
from authz_service.cli.options import LOGGING, takes_settings
from authz_service.errors import EXIT_DENY
from authz_service.policy.said import build_checked_request

if TYPE_CHECKING:
    from authz_service.settings import Settings
    from authz_service.store.entity import Reference

# What the decision log calls this.
_CLIENT: Final = "authz check"


@click.command()
@click.argument("subject", type=ReferenceType())
@click.argument("action")
@click.argument("resource", type=ReferenceType())
@takes_circumstances
@takes_settings("database", "policies", "domain", "engine", "time_limit", *LOGGING)
def check(
    settings: Settings, *, subject: Reference, action: str, resource: Reference, **options: Any
) -> None:
    """Ask whether SUBJECT may do ACTION on RESOURCE; both are TYPE/ID.

    Exit code 0 means allow, 1 deny, 2 that it could not be asked.

    \b
    Example:
      authz check person/mary view_usage subscription/0470000001 --via app
      authz check user/alice delete record/record-1 --with action.soft=true
      authz check person/mary view_bills subscription/0470000001 --at 1200
    """
    circumstances = Circumstances(**options)
    with circumstances.open_decider(settings, subject, resource) as decider:
        asked = subject, action, resource, circumstances.all_said
        decision = decider.check(build_checked_request(decider.schema, *asked), _CLIENT)
    if decision.allowed:
        click.echo("allow")
        return
    click.echo("deny")
    for reason in decision.reasons:
        click.echo(f"  {reason.code}: {reason.message}")
    sys.exit(EXIT_DENY)
