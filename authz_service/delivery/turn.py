"""Which of several processes delivers: the one that holds the lock of a file, until it ends.

The kernel lets go of the lock when its holder ends, however it ends, and another takes over.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

_WAIT_SECONDS: Final = 1.0


@contextmanager
def make_turn() -> Iterator[Path]:
    """Make a file for this, which goes at the end."""
    descriptor, name = tempfile.mkstemp(prefix="authz-delivery-")
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def take_turn(path: Path, stop: Event) -> bool:
    """Wait until this process is the one; it stays so until it ends.

    Arguments:
        path: of the file, the same for all of the processes.
        stop: ends the waiting.

    Returns:
        whether its turn has come.
    """
    # whoever tidies up may have removed it; then two deliver, which does no harm
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    while not stop.is_set():
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stop.wait(_WAIT_SECONDS)
        else:
            return True
    os.close(descriptor)
    return False
