"""PostgreSQL, whose server may end connections while nobody uses them, as a restart of it does.

What asks questions and writes entities shares the connections of a pool, each for one statement or
one transaction. What an advisory lock or a temporary view binds to a connection keeps its own.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any, Final

import peewee
from playhouse.pool import (  # type: ignore[import-untyped]  # as mypy has it
    MaxConnectionsExceeded,
    PooledPostgresqlDatabase,
)
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    import psycopg

_WAIT_SECONDS: Final = 10  # for a connection, while others use all that there may be


class PostgresqlDatabase(peewee.PostgresqlDatabase):
    """Lets go of a connection that the server has ended, and opens another one.

    So a restart of the server costs the questions that it was answering, and not the next one of
    each thread as well.
    """

    def connection(self) -> Any:
        """Find this thread's connection; open one where there is none."""
        self._let_go()
        return super().connection()  # type: ignore[no-untyped-call]  # peewee has no types

    def cursor(self, named_cursor: Any = None) -> Any:
        """Make a cursor on it."""
        self._let_go()
        return super().cursor(named_cursor)  # type: ignore[no-untyped-call]  # as above

    def _let_go(self) -> None:
        if self.is_closed() or self.in_transaction():
            return
        if _has_ended(super().connection()):  # type: ignore[no-untyped-call]  # as above
            self.close()


class PostgresqlPool(PooledPostgresqlDatabase):  # type: ignore[misc]  # peewee has no types
    """Lends a connection for one statement, or one transaction, and takes it back after it.

    So many threads share a few connections, and those of threads that end are not lost. One that
    the server has ended while it rested is thrown away, and another one opened.

    Arguments:
        url: where the server is.
        connections: how many there may be; more statements than that at once wait for each other.
        wait: how long, in seconds.
    """

    def __init__(self, url: str, connections: int, wait: float = _WAIT_SECONDS) -> None:
        super().__init__(url, max_connections=connections, timeout=wait, prefer_psycopg3=True)

    def connect(self, reuse_if_open: bool = False) -> bool:  # noqa: FBT001, FBT002  # as peewee has it
        """Borrow a connection."""
        try:
            return bool(super().connect(reuse_if_open))
        except MaxConnectionsExceeded:
            message = (
                f"none of {self._max_connections} connections is free within {self._wait_timeout} s"
            )
            raise peewee.OperationalError(f"{message}; the setting is `connections`") from None

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; what it found is here before the connection is given back."""
        cursor = super().execute_sql(sql, params)
        self._give_back()
        return cursor

    def commit(self) -> None:
        """End a transaction."""
        super().commit()
        self._give_back()

    def rollback(self) -> None:
        """Undo a transaction."""
        super().rollback()
        self._give_back()

    def _give_back(self) -> None:
        if not self.in_transaction():
            self.close()

    def _is_closed(self, conn: psycopg.Connection[Any]) -> bool:
        # peewee would ask the server, which costs as much as a question
        if _has_ended(conn):
            conn.close()
        return conn.closed


def _has_ended(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether a connection at rest was ended: a server that nobody asks says only goodbye.

    One with a transaction, or one that is known to be lost, is not at rest: what follows on it must
    fail. A commit would succeed on another one, and nothing would be there.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))
