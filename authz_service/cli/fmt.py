"""`authz fmt`: put policies, scenarios and fixtures into their format."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from authz_service.cli.options import show_fault, takes_settings
from authz_service.errors import EXIT_DENY, EXIT_ERROR, AuthzError
from authz_service.formatting.files import (
    DOCUMENT,
    POLICY,
    find_formatted_files,
    format_file,
    format_text,
    replace_file,
)
from authz_service.policy.source import LARGEST_FILE
from authz_service.scenario.key_order import KeyOrder

if TYPE_CHECKING:
    from authz_service.formatting.files import Formatted
    from authz_service.settings import Settings

_STDIN: Final = "-"


@click.command()
@click.argument(
    "paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path, allow_dash=True)
)
@click.option("--check", is_flag=True, help="Change nothing; tell which files would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
@click.option(
    "--as",
    "kind",
    type=click.Choice([POLICY, DOCUMENT]),
    help="What comes by the standard input, when PATH is `-`.",
)
@takes_settings("policies", "fixtures", "scenarios")
def fmt(
    settings: Settings, *, paths: tuple[Path, ...], check: bool, diff: bool, kind: str | None
) -> None:
    """Format the policies, scenarios and fixtures in each PATH, a file or a folder.

    Without any, those in the folders of the settings. `-` is the standard input, which is written
    to the standard output.

    Only the layout changes, and the order of keys in scenarios. What cannot be read stays as it is.

    Exit code 0 means that all is in its format, 1 that something would change, 2 that something
    could not be read or written.

    \b
    Example:
      authz fmt --check policies scenarios/smith.yaml
    """
    is_piped = Path(_STDIN) in paths
    if is_piped != bool(kind) or (is_piped and len(paths) > 1):
        raise click.UsageError("give `-` alone, with `--as polar` or `--as yaml`")
    run = _Run(is_dry=check or diff, shows_difference=diff)
    if kind:
        run.format_input(kind)
    else:
        run.format_files(paths or _find_folders(settings))
    if run.failed:
        sys.exit(EXIT_ERROR)
    if run.is_dry and run.changed:
        sys.exit(EXIT_DENY)


def _find_folders(settings: Settings) -> list[Path]:
    """Find the folders that there are; a project may do without fixtures, or scenarios."""
    folders = [settings.policies, settings.scenarios, settings.fixtures]
    return [each for each in folders if each.exists()] or [settings.policies]


class _Run:
    """Formats one file after the other, and tells what came of each.

    Arguments:
        is_dry: whether nothing is changed.
        shows_difference: whether what would change is shown.

    Attributes:
        changed: how many files are, or would be, other than before.
        failed: how many files could not be formatted.
    """

    def __init__(self, *, is_dry: bool, shows_difference: bool) -> None:
        self.is_dry = is_dry
        self.changed = 0
        self.failed = 0
        self._shows_difference = shows_difference
        self._order = KeyOrder()

    def format_files(self, paths: list[Path] | tuple[Path, ...]) -> None:
        """Format all files in some paths."""
        files, faults = find_formatted_files(paths)
        for fault in faults:
            show_fault("error", fault)
        self.failed += len(faults)
        for path in files:
            try:
                formatted = format_file(path, self._order.choose)
                if formatted.is_changed and not self.is_dry:
                    replace_file(path, formatted.new)
            except AuthzError as error:
                self._blame(error)
            else:
                self._tell(str(path), formatted)
        kept = len(files) + len(faults) - self.changed - self.failed
        verb = "would be formatted" if self.is_dry else "formatted"
        failed = f", {self.failed} could not be" if self.failed else ""
        files_changed = f"{self.changed} file{'' if self.changed == 1 else 's'}"
        click.echo(f"{files_changed} {verb}, {kept} in format already{failed}")

    def format_input(self, kind: str) -> None:
        """Format the standard input."""
        try:
            data = sys.stdin.buffer.read(LARGEST_FILE + 1)
            formatted = format_text(data, _STDIN, kind, self._order.choose)
        except AuthzError as error:
            self._blame(error)
        else:
            if not self.is_dry:
                sys.stdout.buffer.write(formatted.new.encode())
            else:
                self._tell(_STDIN, formatted)

    def _blame(self, error: AuthzError) -> None:
        self.failed += 1
        for fault in error.faults:
            show_fault("error", fault)

    def _tell(self, name: str, formatted: Formatted) -> None:
        if not formatted.is_changed:
            return
        self.changed += 1
        click.echo(f"{'would format' if self.is_dry else 'formatted'} {name}")
        if self._shows_difference:
            old, new = (text.splitlines(keepends=True) for text in (formatted.old, formatted.new))
            for line in difflib.unified_diff(old, new, name, name):
                click.echo(line.rstrip("\r\n"))
