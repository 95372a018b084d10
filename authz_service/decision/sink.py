"""Where decisions go besides the database: lines of JSON, to the standard output or into a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.decision.entry import read_block, write_entry
from authz_service.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.store.journal import Lines

STANDARD_OUTPUT: Final = "-"
# Of the standard output, whatever Python makes of that.
_DESCRIPTOR: Final = 1


class LineSink:
    """Writes entries as lines; what cannot be written is tried again, from where it broke off.

    Several processes can write into one file: each line is a whole one, but not when the disk
    fills up in the middle of one.

    Arguments:
        target: the path of a file, which is added to; `-` for the standard output.

    Raises:
        StoreError: when the file cannot be opened.
    """

    def __init__(self, target: str) -> None:
        self._name = target
        self._left = b""
        try:
            self._descriptor = _open(target)
        except OSError as error:
            raise self._refuse(error) from None

    def add(self, segment: int, first: int, blocks: Iterable[Lines]) -> None:
        """Take the entries of blocks that follow each other in a segment."""
        for each in blocks:
            entries = read_block(segment, first, each.data)
            self._left += b"".join(write_entry(entry) + b"\n" for entry in entries)
            first += len(each.lines)

    def write(self) -> None:
        """Write what was taken.

        Raises:
            StoreError: when it cannot be written; what is left is kept.
        """
        try:
            while self._left:
                self._left = self._left[os.write(self._descriptor, self._left) :]
        except OSError as error:
            raise self._refuse(error) from None

    def _refuse(self, error: OSError) -> StoreError:
        message = f"the decisions cannot be written into it: {error.strerror or error}"
        return StoreError.at(self._name, "unwritable_sink", message)


def _open(target: str) -> int:
    if target == STANDARD_OUTPUT:
        return _DESCRIPTOR
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
