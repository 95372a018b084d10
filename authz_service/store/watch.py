"""Time limits: a statement that takes too long is given up by the database that runs it."""

from __future__ import annotations

import math
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

import psycopg

from authz_service.errors import EvaluationTimeoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

# How many steps of its machine SQLite takes between two looks at the clock.
_SQLITE_STEPS: Final = 10_000


class Watch:
    """Holds the statements on one connection of SQLite to their time.

    Arguments:
        connection: of the thread that asks.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._deadline = math.inf
        connection.set_progress_handler(self._is_late, _SQLITE_STEPS)

    def fetch(self, text: str, parameters: Sequence[Any], time_limit: int) -> list[tuple[Any, ...]]:
        """Run a statement, and give back its rows.

        Raises:
            EvaluationTimeoutError: when it takes longer than the time limit, in milliseconds.
            KeyboardInterrupt: when somebody interrupts it.
        """
        self._deadline = time.monotonic() + time_limit / 1000
        try:
            return self.connection.execute(text, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            if self._is_late():
                raise _too_long() from None
            # it came while the clock was looked at, where sqlite3 takes it for a yes
            raise KeyboardInterrupt from None
        finally:
            self._deadline = math.inf

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


def ask_postgresql(
    connection: psycopg.Connection[Any], text: str, parameters: Sequence[Any], time_limit: int
) -> list[tuple[Any, ...]]:
    """Run a statement of PostgreSQL inside a transaction, and give back its rows.

    Raises:
        EvaluationTimeoutError: when it takes longer than the time limit, in milliseconds.
    """
    try:
        connection.execute(f"SET LOCAL statement_timeout = {time_limit:d}".encode())
        return connection.execute(text.encode(), parameters).fetchall()
    except psycopg.errors.QueryCanceled:
        raise _too_long() from None


def _too_long() -> EvaluationTimeoutError:
    message = "takes longer than the time limit; the setting is `time_limit`"
    return EvaluationTimeoutError.at("the question", "evaluation_timeout", message)
