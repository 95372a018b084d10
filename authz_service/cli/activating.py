"""`authz policy activate` and `rollback`: other policies serve, once they are tried."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from authz_service import assembly, storage
from authz_service.activation.bundle import LARGEST_BUNDLE, read_bundle
from authz_service.activation.candidate import load_folder, open_candidate
from authz_service.activation.keeper import Keeper
from authz_service.activation.signature import load_trust
from authz_service.activation.verdict import describe
from authz_service.cli.options import GATE, find_user, show_fault, takes_settings
from authz_service.errors import EXIT_DENY, RequestError
from authz_service.store.policies import Origin, get_policies

if TYPE_CHECKING:
    from authz_service.activation.candidate import Candidate
    from authz_service.settings import Settings
    from authz_service.store.database import Store

_TAKEN: Final = ("database", "domain", "fixtures", "engine", "time_limit", *GATE[1:])


@click.command()
@click.argument("source", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@takes_settings(*_TAKEN)
def activate(settings: Settings, *, source: Path) -> None:
    """Have the policies of a bundle, or of a folder, serve from now on.

    They are tried first, as `authz serve` does. Every running server of this database takes them
    within a second.

    Exit code 0 means that they serve, 1 that they were refused, and what served before still does.

    \b
    Example:
      authz policy activate release.tar
    """
    candidate = load_folder(source) if source.is_dir() else read_bundle(_read(source), str(source))
    with closing(_open_store(settings)) as store:
        _try(settings, store, candidate)


@click.command()
@click.argument("digest")
@click.option(
    "--without-checks", is_flag=True, help="Compile them, and look at nothing else before."
)
@takes_settings(*_TAKEN)
def rollback(settings: Settings, *, digest: str, without_checks: bool) -> None:
    """Have policies serve again that served before, by a DIGEST or what it alone begins with.

    Exit codes are those of `activate`.

    \b
    Example:
      authz policy rollback 3f1c
    """
    with closing(_open_store(settings)) as store:
        candidate = open_candidate(get_policies(store, digest), Origin.ROLLBACK)
        _try(settings, store, candidate, with_checks=not without_checks)


def _open_store(settings: Settings) -> Store:
    return storage.open_existing_store(settings, storage.find_domain(settings.domain))


def _try(
    settings: Settings, store: Store, candidate: Candidate, *, with_checks: bool = True
) -> None:
    trust = load_trust(settings.policy_keys)
    keeper = Keeper(settings, store, trust, storage.tell_time, new_id=assembly.draw_id)
    attempt = keeper.begin(candidate, find_user())
    if attempt is None:
        click.echo(f"{candidate.digest} serves already")
        return
    verdict = keeper.finish(attempt, with_checks=with_checks)
    for note in verdict.notes:
        click.echo(f"note: {note}", err=True)
    if verdict.faults:
        for each in verdict.faults:
            show_fault("refused", each)
        sys.exit(EXIT_DENY)
    counted = describe(verdict.write())
    said = f"{candidate.digest} serves from now on"
    click.echo(f"{said}: {counted}" if counted else said)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BUNDLE + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise RequestError.at(str(path), "unreadable_file", message) from None
    if len(data) > LARGEST_BUNDLE:
        message = f"is larger than {LARGEST_BUNDLE // 1024**2} MiB, and so no bundle"
        raise RequestError.at(str(path), "no_bundle", message)
    return data
