"""What the URL of a store stands for: a file, memory, or a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import peewee
import psycopg.conninfo

from authz_service.errors import StoreError
from authz_service.store.postgresql import PostgresqlDatabase, PostgresqlPool

MEMORY: Final = "sqlite:///:memory:"

# WAL lets readers go on while one writes. The file is read in place, not copied page by page, which
# takes a third off a check (benchmarks/README.md); 2 GiB is the most that SQLite maps.
_SQLITE_PRAGMAS: Final = {"journal_mode": "wal", "foreign_keys": 1}
_IN_PLACE: Final = {"mmap_size": 2**31}
# The wait lets writers queue instead of failing.
_SQLITE_WAIT_SECONDS: Final = 10
# Prepared statements that a connection keeps; each question of a domain has two.
_SQLITE_STATEMENTS: Final = 1_024


def build_database(
    url: str, *, in_place: bool = True, connections: int = 0, **options: Any
) -> peewee.Database:
    """Build what connects to the database at a URL, with options of peewee's.

    Arguments:
        url: where it is.
        in_place: read the file of SQLite where it lies.
        connections: how many to PostgreSQL there may be, in a pool; 0 for one a thread.
        options: of peewee's.

    Raises:
        StoreError: when the URL cannot be used.
    """
    if url.startswith("postgresql://"):
        _check_postgresql_url(url)
        if connections:
            return PostgresqlPool(url, connections)
        return PostgresqlDatabase(url, prefer_psycopg3=True, **options)
    path = url.removeprefix("sqlite:///")
    if path == url or not path:
        message = "is no URL of a database; write `sqlite:///PATH` or `postgresql://USER@HOST/NAME`"
        raise StoreError.at("database", "unknown_database", message)
    if url != MEMORY:
        _make_folder(Path(path).parent)
    return peewee.SqliteDatabase(
        path,
        pragmas=_SQLITE_PRAGMAS | _IN_PLACE if in_place else _SQLITE_PRAGMAS,
        timeout=_SQLITE_WAIT_SECONDS,
        cached_statements=_SQLITE_STATEMENTS,
        **options,
    )


def find_missing_file(url: str) -> Path | None:
    """Find the file that a SQLite URL names, if it is not there: opening it would make it."""
    path = Path(url.removeprefix("sqlite:///"))
    return path if url.startswith("sqlite:///") and url != MEMORY and not path.exists() else None


def _check_postgresql_url(url: str) -> None:
    """Refuse what the driver cannot read, in our words: its own quote the password."""
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        message = "is no URL of a PostgreSQL database; write `postgresql://USER@HOST/NAME`"
        raise StoreError.at("database", "unknown_database", message) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot be made: {error.strerror or error}"
        raise StoreError.at(str(folder), "no_folder", message) from None
