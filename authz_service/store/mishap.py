"""What goes wrong in a database, in our words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import peewee

from authz_service.errors import StoreConflictError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

# PostgreSQL: could not serialize, deadlock.
_CONFLICTS: Final = {"40001", "40P01"}


def is_sqlite(database: peewee.Database) -> bool:
    """Tell whether a database is SQLite; the other one is PostgreSQL."""
    return isinstance(database, peewee.SqliteDatabase)


def name_database(database: peewee.Database) -> str:
    """The database's name for messages; a PostgreSQL URL can hold a password, so it stays out."""
    return str(database.database) if is_sqlite(database) else "the PostgreSQL database"


def _find_first(error: peewee.PeeweeException) -> peewee.PeeweeException:
    """Find what went wrong first: where a disk is full, the rollback after that fails as well."""
    first, following = error, error.__context__
    while following is not None:
        if isinstance(following, peewee.PeeweeException):
            first = following
        following = following.__context__ or following.__cause__
    return first


def write_one_line(error: Exception) -> str:
    """Write what an error says on one line."""
    return " ".join(str(error).split())


@contextmanager
def explained(database: peewee.Database) -> Iterator[None]:
    """Turn the database's own errors into ours, and let go of a connection that may be broken."""
    try:
        yield
    except peewee.PeeweeException as error:
        if not is_sqlite(database) and not database.in_transaction():
            database.close()
        error = _find_first(error)
        message = f"the database cannot be used: {write_one_line(error)}"
        driver_error = getattr(error, "orig", None)
        is_conflict = getattr(driver_error, "sqlstate", "") in _CONFLICTS
        kind = StoreConflictError if is_conflict else StoreError
        raise kind.at(name_database(database), "database_error", message) from error
