"""PostgreSQL, whose server may end connections while nobody uses them, as a restart of it does."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

import peewee
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    import psycopg


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
