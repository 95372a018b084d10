"""`authz policy`: the policies that served, from when on, and what they said."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.errors import SettingError
from authz_service.store.policies import find_activations, get_policies
from authz_service.store.writer import write_time

if TYPE_CHECKING:
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.policies import KeptPolicies


@click.group()
def policy() -> None:
    """Look at the policies that served: `authz serve` keeps them when it starts with others."""


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
        at = write_time(each.at)
        if as_json:
            click.echo(json.dumps({"digest": each.digest, "at": at, "who": each.who}))
        else:
            click.echo(f"{at} {each.digest} by {each.who}")


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
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise SettingError.at(str(folder), "unwritable_folder", message) from None
    click.echo(f"wrote {len(policies.files)} files of {policies.digest} to {folder}")
