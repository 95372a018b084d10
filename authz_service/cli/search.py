"""`authz who`, `authz what` and `authz can`: who may, on what, and what somebody may."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service.cli.asking import Circumstances, ReferenceType, takes_circumstances
from authz_service.cli.options import LOGGING, takes_settings
from authz_service.decision.decider import walk
from authz_service.errors import EXIT_DENY, RequestError
from authz_service.policy.said import build_checked_request
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authz_service.decision.decider import Decider
    from authz_service.policy.request import Request
    from authz_service.settings import Settings

_SETTINGS: Final = ("database", "policies", "domain", "engine", "search_time_limit", *LOGGING)


def _takes_count(command: Callable[..., None]) -> Callable[..., None]:
    about = "Print how many there are instead of which."
    return click.option("--count", is_flag=True, help=about)(command)


@click.command()
@click.argument("action")
@click.argument("resource", type=ReferenceType())
@click.option("--type", "kind", help="Look among subjects of this type only.")
@_takes_count
@takes_circumstances
@takes_settings(*_SETTINGS)
def who(
    settings: Settings,
    *,
    action: str,
    resource: Reference,
    kind: str | None,
    count: bool,
    **options: Any,
) -> None:
    """List who may do ACTION on RESOURCE, which is TYPE/ID; a line each, as they are found.

    Exit code 0 means that there is somebody, 1 that there is nobody, 2 that it could not be asked.

    \b
    Example:
      authz who view_usage subscription/0470000001 --via app
    """
    circumstances = Circumstances(**options)
    with circumstances.open_decider(settings, resource) as decider:
        kinds = [kind] if kind else sorted(decider.schema.subjects)
        asked = (
            _build(decider, circumstances, Reference(each, ""), action, resource) for each in kinds
        )
        _print(
            (
                f"{request.subject.type}/{found}"
                for request in asked
                for found in walk(decider.search_subjects, request, "authz who")
            ),
            count=count,
        )


@click.command()
@click.argument("subject", type=ReferenceType())
@click.argument("action")
@click.argument("kind", metavar="TYPE")
@_takes_count
@takes_circumstances
@takes_settings(*_SETTINGS)
def what(
    settings: Settings, *, subject: Reference, action: str, kind: str, count: bool, **options: Any
) -> None:
    """List on which entities of TYPE the SUBJECT, which is TYPE/ID, may do ACTION.

    Exit code 0 means that there is one, 1 that there is none, 2 that it could not be asked.

    \b
    Example:
      authz what person/philip view_bills subscription
    """
    circumstances = Circumstances(**options)
    with circumstances.open_decider(settings, subject) as decider:
        request = _build(decider, circumstances, subject, action, Reference(kind, ""))
        found = walk(decider.search_resources, request, "authz what")
        _print((f"{kind}/{each}" for each in found), count=count)


@click.command()
@click.argument("subject", type=ReferenceType())
@click.argument("resource", type=ReferenceType())
@_takes_count
@takes_circumstances
@takes_settings(*_SETTINGS)
def can(
    settings: Settings, *, subject: Reference, resource: Reference, count: bool, **options: Any
) -> None:
    """List which actions the SUBJECT may do on the RESOURCE; both are TYPE/ID.

    Exit code 0 means that there is one, 1 that there is none, 2 that it could not be asked.

    \b
    Example:
      authz can person/mary subscription/0470000001
    """
    circumstances = Circumstances(**options)
    with circumstances.open_decider(settings, subject, resource) as decider:
        known = decider.schema.types.get(resource.type)
        action = known.actions[0] if known and known.actions else ""  # it is not looked at
        request = _build(decider, circumstances, subject, action, resource)
        _print(walk(decider.search_actions, request, "authz can"), count=count)


def _build(
    decider: Decider,
    circumstances: Circumstances,
    subject: Reference,
    action: str,
    resource: Reference,
) -> Request:
    said = circumstances.all_said
    for part, reference in (("subject", subject), ("resource", resource)):
        if not reference.id and getattr(said, part):
            message = f"what is looked for is as it is stored, so nothing is said of the {part}"
            raise RequestError.at("the question", "searched_is_stored", message)
    request = build_checked_request(decider.schema, subject, action, resource, said)
    stranger = decider.find_stranger(request)
    if stranger:
        raise RequestError.at("the question", stranger.code, stranger.message)
    return request


def _print(found: Iterable[str], *, count: bool) -> None:
    number = 0
    for each in found:
        number += 1
        if not count:
            click.echo(each)
    if count:
        click.echo(number)
    if not number:
        sys.exit(EXIT_DENY)
