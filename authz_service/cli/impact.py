"""`authz impact`: who gains and who loses by a change of policies, of all that is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from authz_service import storage
from authz_service.cli.asking import Circumstances, takes_present
from authz_service.cli.comparing import (
    Reporting,
    compile_both,
    takes_reporting,
)
from authz_service.cli.options import takes_settings
from authz_service.cli.output import show_progress
from authz_service.errors import RequestError, quote, suggest
from authz_service.policy.effect import Outcome
from authz_service.policy.impact import Impact, Terms
from authz_service.policy.said import build_checked_request
from authz_service.store.entity import Reference
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz_service.polar.schema import Schema
    from authz_service.policy.effect import Effect
    from authz_service.policy.plan import Key
    from authz_service.policy.request import Said
    from authz_service.settings import Settings


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--action",
    "actions",
    multiple=True,
    metavar="ACTION",
    help="Look at this action only. Can be given several times.",
)
@click.option("--on", "kind", metavar="TYPE", help="Look at resources of this type only.")
@takes_reporting
@takes_present
@takes_settings("database", "policies", "domain")
def impact(
    settings: Settings,
    *,
    old: str,
    new: str,
    actions: tuple[str, ...],
    kind: str | None,
    **options: Any,
) -> None:
    """Find everybody who gains or loses something if policies NEW take the place of OLD.

    Each is a folder, or a revision of the git repository around the policies: REVISION, or
    REVISION:FOLDER. All that is stored is looked at, whether anybody ever asked or not, in every
    way to ask that makes a difference: without a channel, by each that the policies name, and by
    any other.

    Exit code 0 means that it was found, 1 that there is what --fail-on names, 2 that it could not
    be found.

    \b
    Example:
      authz impact HEAD policies --action view_bills --fail-on newly-allowed
    """
    reporting = Reporting.take(options)
    circumstances = Circumstances(**options)
    with reporting.limited("name fewer actions with --action") as left:
        domain = storage.find_domain(settings.domain)
        engines = compile_both(settings, domain, old, new)
        keys = _find_keys(engines[0].keys, actions, kind)
        said = _read_said(domain.schema, keys, circumstances.all_said)
        terms = Terms(said, circumstances.tell_time(), reporting.limit, left)
        with circumstances.open_store(settings, domain) as store, store.snapshot():
            found = Impact(*engines, domain, store, terms)
            effects = tuple(_find_effects(found, keys))
            notes = tuple(found.find_notes(keys))
            outcome = Outcome(old, new, find_revision(store), "pair", effects, notes)
    reporting.finish(outcome)


def _find_effects(impact: Impact, keys: Sequence[Key]) -> Iterator[Effect]:
    with show_progress(len(keys), "comparing") as tell:
        for key in keys:
            yield from impact.find_effects(key)
            tell(1)


def _find_keys(keys: Iterable[Key], actions: Sequence[str], kind: str | None) -> list[Key]:
    keys = list(keys)
    types = {resource for _, _, resource in keys}
    if kind is not None and kind not in types:
        message = f"{quote(kind)} is no type of resource{suggest(kind, types)}"
        raise RequestError.at("--on", "unknown_type", message)
    chosen = [each for each in keys if kind in {None, each[2]}]
    known = {action for _, action, _ in chosen}
    for action in actions:
        if action not in known:
            where = f" on {quote(kind)}" if kind else ""
            message = f"{quote(action)} is no action{where}{suggest(action, known)}"
            raise RequestError.at("--action", "unknown_action", message)
    return [each for each in chosen if not actions or each[1] in actions]


def _read_said(schema: Schema, keys: Sequence[Key], said: Said) -> dict[str, Any]:
    """Read what comes with every question, by name; it means the same with each."""
    for part in ("subject", "resource"):
        if getattr(said, part):
            message = f"everybody is as stored, so nothing is said of the {part}"
            raise RequestError.at("the question", "searched_is_stored", message)
    subject, action, resource = keys[0]
    asked = Reference(subject, ""), action, Reference(resource, "")
    request = build_checked_request(schema, *asked, said)
    return {name: request.given[name] for name in (*said.context, *said.action)}
