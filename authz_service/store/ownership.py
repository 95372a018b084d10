"""Who is there: a writer holds a lock for as long as its process lives, however that ends.

Beside a SQLite file it is the lock of a file, which the kernel lets go; in PostgreSQL it is an
advisory lock, which the server lets go with the connection.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Protocol

from authz_service.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    import peewee


class Ownership(Protocol):
    """Tells which writers are there, by their numbers."""

    def take(self, writer: int) -> bool:
        """Hold the lock of a writer; False when somebody else does. To hold it again is nothing."""

    def release(self, writer: int) -> None:
        """Let go of the lock of a writer."""


class FileOwnership:
    """Ownership beside a SQLite file.

    Arguments:
        path: of the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[int, int] = {}

    def take(self, writer: int) -> bool:
        """Hold the lock of a writer; False when somebody else does. To hold it again is nothing."""
        if writer in self._held:
            return True
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = self._file(writer)
        try:
            descriptor = os.open(file, flags, 0o600)
        except OSError as error:
            message = f"cannot be made: {error.strerror or error}"
            raise StoreError.at(str(file), "unwritable_file", message) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._held[writer] = descriptor
        return True

    def release(self, writer: int) -> None:
        """Let go of the lock of a writer, and tidy up."""
        self._file(writer).unlink(missing_ok=True)
        os.close(self._held.pop(writer))

    def _file(self, writer: int) -> Path:
        return self._path.with_name(f"{self._path.name}-writer-{writer}")


class ServerOwnership:
    """Ownership in PostgreSQL, by the connection of the thread that asks.

    Arguments:
        database: where.
    """

    def __init__(self, database: peewee.Database) -> None:
        self._database = database
        self._held: dict[int, object] = {}

    def take(self, writer: int) -> bool:
        """Hold the lock of a writer; False when somebody else does. To hold it again is nothing."""
        connection = self._database.connection()
        if self._held.get(writer) is connection:
            return True
        is_taken = bool(self._ask("pg_try_advisory_lock", writer))
        if is_taken:
            self._held[writer] = connection
        return is_taken

    def release(self, writer: int) -> None:
        """Let go of the lock of a writer."""
        del self._held[writer]
        self._ask("pg_advisory_unlock", writer)

    def _ask(self, function: str, writer: int) -> object:
        cursor = self._database.execute_sql(f"SELECT {function}(%s)", (writer,))
        return cursor.fetchone()[0]
