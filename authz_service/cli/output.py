"""Where commands write: a file that is there only once it is whole; how far they are."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from authz_service.errors import SettingError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# After how many a number is shown again.
_SHOWN_EACH: Final = 10_000


@contextmanager
def open_output(file: str) -> Iterator[IO[bytes]]:
    """Open a file to be written, or the standard output, which is `-`.

    Raises:
        StoreError: when it cannot be written; nothing is left of it then.
    """
    if file == "-":
        yield sys.stdout.buffer
        return
    path = Path(file)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as output:
            yield output
        partial.replace(path)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise StoreError.at(file, "unwritable_file", message) from None
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def show_progress(length: int, label: str) -> Iterator[Callable[[int], Any]]:
    """Show on a terminal how far it is; where nobody knows how far it goes, what was done."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    if not length:
        yield _Counter(label).add
        click.echo(err=True)
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def erase_progress() -> None:
    """Make room on a terminal for a line; how far it is will be shown below it."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)


class _Counter:
    """Shows a number that grows, now and then.

    Arguments:
        label: what is counted.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._count = 0

    def add(self, count: int) -> None:
        """Count on."""
        before, self._count = self._count, self._count + count
        if before // _SHOWN_EACH < self._count // _SHOWN_EACH:
            click.echo(f"\r{self._label}  {self._count:,}", err=True, nl=False)


def create_file(path: Path, text: str) -> None:
    """Write a file that is not there yet, and its folder, and say so.

    Raises:
        SettingError: when it is there already, or cannot be written.
    """
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
