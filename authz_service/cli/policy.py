"""`authz policy`: the policies that serve and served, what they said, and which are to."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service import storage
from authz_service.activation.candidate import write_signature
from authz_service.activation.status import find_state, write_activation, write_status
from authz_service.activation.verdict import Verdict, describe
from authz_service.cli.activating import activate, rollback
from authz_service.cli.bundling import bundle, keygen, sign
from authz_service.cli.options import takes_settings
from authz_service.errors import EXIT_DENY, SettingError
from authz_service.store.policies import find_activations, find_last, get_policies
from authz_service.store.trials import TrialState, find_trial
from authz_service.store.writer import write_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.policies import Activation, KeptPolicies
    from authz_service.store.trials import Trial


@click.group(commands=[activate, rollback, bundle, sign, keygen])
def policy() -> None:
    """Look at the policies that serve and served, and have others serve.

    \b
    Example:
      authz policy status
    """


@policy.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@takes_settings("database", "domain")
def status(settings: Settings, *, as_json: bool) -> None:
    """Tell which policies serve, and what came of those that were to serve last.

    Exit code 0 means that what was to serve does, 1 that it was refused, or is still being tried.

    \b
    Example:
      authz policy status
    """
    with closing(_open_store(settings)) as store:
        last, trial, now = find_last(store), find_trial(store), storage.tell_time()
        written = write_status(store, now)
    if as_json:
        click.echo(json.dumps(written, indent=2))
    else:
        click.echo(f"serves: {_describe(last)}" if last else "nothing served yet")
        for line in _describe_trial(trial, find_state(trial, now)) if trial else ():
            click.echo(line)
    if trial and trial.state is not TrialState.ACTIVATED:
        sys.exit(EXIT_DENY)


@policy.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, a line each.")
@takes_settings("database", "domain")
def history(settings: Settings, *, as_json: bool) -> None:
    """List which policies served, from when on, and who began to serve them; the first comes first.

    \b
    Example:
      authz policy history --json
    """
    with closing(_open_store(settings)) as store:
        found = find_activations(store)
    if not found and not as_json:
        click.echo("none served yet: `authz serve` keeps them when it starts")
    for each in found:
        click.echo(json.dumps(write_activation(each)) if as_json else _describe(each))


@policy.command()
@click.argument("digest")
@click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write the files to this folder, which is made, or empty.",
)
@takes_settings("database", "domain")
def show(settings: Settings, *, digest: str, folder: Path | None) -> None:
    """Print the policies of a DIGEST, or of what it alone begins with, file by file.

    \b
    Example:
      authz policy show 3f1c --to var/policies-of-then
    """
    with closing(_open_store(settings)) as store:
        found = get_policies(store, digest)
    if folder:
        _write(found, folder)
        return
    for name, text in found.files.items():
        click.echo(f"# {name}\n\n{text}")


def _describe(activation: Activation) -> str:
    at, origin = write_time(activation.at), activation.origin
    counted = describe(activation.verdict)
    said = f"{at} {activation.digest} from a {origin} by {activation.who}"
    return f"{said}: {counted}" if counted else said


def _describe_trial(trial: Trial, state: str) -> Iterator[str]:
    said = f"{write_time(trial.at)} {trial.digest or 'unreadable'} from a {trial.origin}"
    yield f"tried last: {said} by {trial.who}: {state}"
    if trial.verdict:
        verdict = Verdict.parse(trial.verdict)
        yield from (f"  {each}" for each in (*verdict.faults, *verdict.notes))


def _open_store(settings: Settings) -> Store:
    return storage.open_existing_store(settings, storage.find_domain(settings.domain))


def _write(policies: KeptPolicies, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            message = "is not empty; name a folder that is, or is still to be made"
            raise SettingError.at(str(folder), "folder_taken", message)
        for name, text in policies.files.items():
            with (folder / Path(name).name).open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        if policies.signature:
            write_signature(folder, policies.signature)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise SettingError.at(str(folder), "unwritable_folder", message) from None
    click.echo(f"wrote {len(policies.files)} files of {policies.digest} to {folder}")
