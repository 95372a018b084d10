"""`authz policy bundle`, `sign` and `keygen`: policies as one file, and who answers for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service.activation import signature
from authz_service.activation.bundle import write_bundle
from authz_service.activation.candidate import SIGNATURE, Candidate, load_folder, write_signature
from authz_service.cli.options import takes_settings
from authz_service.cli.output import open_output
from authz_service.errors import SettingError
from authz_service.store.policies import Origin

if TYPE_CHECKING:
    from authz_service.settings import Settings


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--to", "file", required=True, metavar="FILE", help="Write it to this file.")
@click.option(
    "--sign-with",
    "key",
    metavar="KEY",
    type=click.Path(path_type=Path),
    help="Sign it with the private key in this file.",
)
@takes_settings("policies")
def bundle(settings: Settings, *, folder: Path | None, file: str, key: Path | None) -> None:
    """Write the policies of a FOLDER, or those of the settings, as one file.

    The same policies and the same signature are the same bytes. A signature that is in the folder
    comes along.

    \b
    Example:
      authz policy bundle --to release.tar --sign-with release.key
    """
    candidate = load_folder(folder or settings.policies, Origin.BUNDLE)
    if key:
        signed = signature.sign(candidate.digest, key)
        candidate = Candidate(candidate.policies, signed, Origin.BUNDLE)
    data = write_bundle(candidate)
    with open_output(file) as output:
        output.write(data)
    click.echo(f"wrote {candidate.digest} to {file}", err=True)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--with",
    "key",
    required=True,
    metavar="KEY",
    type=click.Path(path_type=Path),
    help="The file with the private key.",
)
@takes_settings("policies")
def sign(settings: Settings, *, folder: Path | None, key: Path) -> None:
    """Sign the policies of a FOLDER, or those of the settings: writes `SIGNATURE` beside them.

    \b
    Example:
      authz policy sign --with release.key
    """
    chosen = folder or settings.policies
    digest = load_folder(chosen).digest
    signed = signature.sign(digest, key)
    try:
        write_signature(chosen, signed)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise SettingError.at(str(chosen / SIGNATURE), "unwritable_file", message) from None
    click.echo(f"signed {digest} in {chosen / SIGNATURE}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@takes_settings()
def keygen(_settings: Settings, *, file: Path) -> None:
    """Make a key that signs policies: the private one in FILE, the public one is printed.

    \b
    Example:
      authz policy keygen release.key > trusted.pem
    """
    made = signature.make_key()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as opened:  # noqa: PTH123  # a descriptor
            opened.write(made.private)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise SettingError.at(str(file), "unwritable_file", message) from None
    click.echo(made.public, nl=False)
