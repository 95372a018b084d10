"""Where commands write: a file that is there only once it is whole; how far they are."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from authz_service.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
    """Show how far it is, on a terminal, where it is known how far it goes."""
    if not length or not sys.stderr.isatty():
        yield lambda _count: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update
