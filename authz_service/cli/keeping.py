"""A difference between two policies, printed as files to keep, or written into a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authz_service.cli.output import create_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.scenario.kept import Kept


def print_kept(kept: Kept) -> None:
    """Print both files, each under its name."""
    for kind, text in _find_texts(kept):
        click.echo(f"\n# {kind}/{kept.name}.yaml\n{text}", nl=False)


def save_kept(kept: Kept, folder: Path) -> None:
    """Write both files into the folders of a project, where neither is yet.

    Raises:
        SettingError: when one is there already, or cannot be written.
    """
    for kind, text in _find_texts(kept):
        create_file(folder / kind / f"{kept.name}.yaml", text)


def _find_texts(kept: Kept) -> Iterator[tuple[str, str]]:
    yield "fixtures", kept.fixture
    yield "scenarios", kept.scenario
