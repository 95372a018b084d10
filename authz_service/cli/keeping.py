"""A difference between two policies, printed as files to keep, or written into a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authz_service.errors import SettingError

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
        path = folder / kind / f"{kept.name}.yaml"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            message = "is there already, and is kept as it is; move it, or name another folder"
            raise SettingError.at(str(path), "file_exists", message) from None
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            raise SettingError.at(str(path), "unwritable_file", message) from None
        click.echo(f"wrote {path}", err=True)


def _find_texts(kept: Kept) -> Iterator[tuple[str, str]]:
    yield "fixtures", kept.fixture
    yield "scenarios", kept.scenario
