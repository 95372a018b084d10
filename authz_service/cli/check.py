"""`authz check`: ask one question."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service import assembly
from authz_service.cli.options import show_warning, takes_settings
from authz_service.document import parse_time
from authz_service.errors import EXIT_DENY
from authz_service.policy.request import Request, read_given
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from authz_service.decision.decider import Decider
    from authz_service.settings import Settings


class _ReferenceType(click.ParamType[Reference]):
    name = "TYPE/ID"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Reference:
        """Read `type/id`."""
        try:
            return Reference.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _TimeType(click.ParamType[datetime]):
    name = "TIME"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a time with its zone."""
        try:
            return parse_time(value)
        except ValueError:
            self.fail(f"`{value}` is not a time such as 2026-01-05T09:00:00Z", param, ctx)


@click.command()
@click.argument("subject", type=_ReferenceType())
@click.argument("action")
@click.argument("resource", type=_ReferenceType())
@click.option("--via", metavar="CHANNEL", help="The channel that the request comes by.")
@click.option(
    "--fixture",
    type=click.Path(path_type=Path),
    help="Ask about the entities of this fixture file instead of the database.",
)
@click.option("--at", type=_TimeType(), help="Ask as if it were this time.")
@takes_settings("database", "policies", "domain", "engine", "time_limit")
def check(
    settings: Settings,
    *,
    subject: Reference,
    action: str,
    resource: Reference,
    via: str | None,
    fixture: Path | None,
    at: datetime | None,
) -> None:
    """Ask whether SUBJECT may do ACTION on RESOURCE; both are TYPE/ID.

    Exit code 0 means allow, 1 deny, 2 that it could not be asked.

    \b
    Example:
      authz check person/mary view_usage subscription/0470000001 --via app
    """
    context = {} if via is None else {"channel": via}
    with ExitStack() as stack:
        decider = _open_decider(settings, fixture, at, stack)
        given = read_given(decider.schema, context, {})
        request = Request(subject, action, resource, given)
        decision = decider.check(request)
    if decision.allowed:
        click.echo("allow")
        return
    click.echo("deny")
    for reason in decision.reasons:
        click.echo(f"  {reason.code}: {reason.message}")
    sys.exit(EXIT_DENY)


def _open_decider(
    settings: Settings, fixture: Path | None, at: datetime | None, stack: ExitStack
) -> Decider:
    domain = assembly.find_domain(settings.domain)
    engine = assembly.build_engine(settings, domain, show_warning)
    if fixture:
        store = assembly.build_fixture_store(fixture, domain)
    else:
        store = assembly.open_existing_store(settings, domain)
    stack.callback(store.close)
    clock = (lambda: at) if at else assembly.tell_time
    return assembly.build_decider(engine, domain, store, clock)
